import { type ChildProcess, execFile, fork } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";

const MAIN = resolve(import.meta.dirname, "../../../services/cli/main.ts");
const HOST = resolve(import.meta.dirname, "command-host.ts");

/** The exit code and output of a command. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandToRun {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

interface CommandOptions {
  /** Added to the environment of the tests. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string;
}

/** Options of Node itself, read as a process starts. */
const READ_BY_NODE = /^(NODE_|TZ$|LANG$|LC_|NO_COLOR$|FORCE_COLOR$)/;

let host: ChildProcess | null = null;
let isBusy = false;

/**
 * Runs `drawdown` as in a shell: in the file's command process when that is free; in a separate one
 * otherwise, and where the command reads standard input or Node reads its environment.
 */
export async function drawdown(
  args: readonly string[],
  { env = {}, stdin }: CommandOptions = {},
): Promise<Ran> {
  const command = { args, env: { ...process.env, ...env } };
  const needsOwn = stdin !== undefined || Object.keys(env).some((name) => READ_BY_NODE.test(name));
  return isBusy || needsOwn ? await runProcess(command, stdin) : await runInHost(command);
}

/** Runs `drawdown` in a separate process, as in a shell. */
export async function drawdownProcess(
  args: readonly string[],
  { env = {}, stdin }: CommandOptions = {},
): Promise<Ran> {
  return await runProcess({ args, env: { ...process.env, ...env } }, stdin);
}

async function runProcess({ args, env }: CommandToRun, stdin = ""): Promise<Ran> {
  return new Promise((done) => {
    const child = execFile(process.execPath, [MAIN, ...args], { env }, (error, stdout, stderr) => {
      done({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
    });
    child.stdin?.end(stdin);
  });
}

async function runInHost(command: CommandToRun): Promise<Ran> {
  isBusy = true;
  host ??= fork(HOST);
  const answer = once(host, "message");
  const ended = once(host, "exit").then(([code]) => {
    throw new Error(`the process for commands ended with ${code} at ${command.args.join(" ")}`);
  });
  try {
    host.send(command);
    const [ran] = await Promise.race([answer, ended]);
    return ran;
  } finally {
    isBusy = false;
  }
}

/** The arguments of a command line without quotes. */
export function words(commandLine: string): string[] {
  return commandLine.split(" ").filter((word) => word !== "");
}

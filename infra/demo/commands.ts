import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";

const PROJECT = resolve(import.meta.dirname, "../..");
const POLL_MS = 200;
const WITHIN_MS = 60_000;

/** Usage as `drawdown publish` reads it. */
interface Usage {
  readonly account_id: string;
  readonly meter: string;
  readonly quantity: number;
  readonly event_id?: string;
  readonly dimensions?: Readonly<Record<string, string>>;
  readonly hold_id?: string;
}

/** The command line as a user would use it. Commands and their output are shown. */
export function openCommands(env: NodeJS.ProcessEnv, say: (line: string) => void) {
  const type = async (command: string, input = "") => {
    say(`\n$ drawdown ${command}`);
    const shown = await drawdown(env, command, input);
    say(shown);
    return shown;
  };
  return {
    /** Runs a command, without `drawdown`, and returns what it shows; what has spaces stands in double quotes. */
    type: (command: string) => type(command),
    publish: (usage: readonly Usage[]) =>
      type("publish -", usage.map((event) => JSON.stringify(event)).join("\n")),
    /** Waits until the JSON that a command shows is as expected. */
    async until(what: string, command: string, isSo: (shown: unknown) => boolean): Promise<void> {
      const deadline = performance.now() + WITHIN_MS;
      while (!isSo(JSON.parse(await drawdown(env, `${command} --json`)))) {
        if (performance.now() > deadline) {
          throw new Error(`${what}: still not so after ${WITHIN_MS / 1000} s`);
        }
        await wait(POLL_MS);
      }
    },
  };
}

const run = promisify(execFile);

/** Returns what the command prints; throws when it fails. */
async function drawdown(env: NodeJS.ProcessEnv, command: string, input = ""): Promise<string> {
  const words = command.match(/"[^"]*"|\S+/g) ?? [];
  const args = ["services/cli/main.ts", ...words.map((word) => word.replaceAll('"', ""))];
  const running = run(process.execPath, args, { cwd: PROJECT, env });
  running.child.stdin?.end(input);
  const { stdout } = await running;
  return stdout.trimEnd();
}

/** A field of a JSON object that a command has shown. */
export function fieldOf(shown: unknown, name: string): unknown {
  if (typeof shown !== "object" || shown === null) return undefined;
  return Object.entries(shown).find(([field]) => field === name)?.[1];
}

import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";

const PROJECT = resolve(import.meta.dirname, "../../..");
const MOST_OUTPUT = 64 << 20;

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `drawdown` as a user would. */
export async function drawdown(
  env: Readonly<Record<string, string | undefined>>,
  ...args: readonly string[]
): Promise<CommandResult> {
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
  const running = promisify(execFile)(process.execPath, ["services/cli/main.ts", ...args], {
    cwd: PROJECT,
    env: { PATH, HOME, NODE_COMPILE_CACHE, ...env },
    maxBuffer: MOST_OUTPUT,
  });
  try {
    return { code: 0, ...(await running) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout: string; stderr: string };
    return { code: typeof code === "number" ? code : -1, stdout, stderr };
  }
}

/** The same, where failing is not expected; returns what it prints. */
export async function mustDrawdown(
  env: Readonly<Record<string, string | undefined>>,
  ...args: readonly string[]
): Promise<string> {
  const { code, stdout, stderr } = await drawdown(env, ...args);
  if (code !== 0) throw new Error(`drawdown ${args.join(" ")} ended with ${code}: ${stderr}`);
  return stdout;
}

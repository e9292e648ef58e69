import { execFile } from "node:child_process";
import { resolve } from "node:path";

const MAIN = resolve(import.meta.dirname, "../../../services/cli/main.ts");

/** How a run of the command ended, and what it said. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `drawdown` as a process, as in a shell; `env` on top of the environment of the tests. */
export async function drawdown(
  args: readonly string[],
  options: { env?: Readonly<Record<string, string | undefined>>; stdin?: string } = {},
): Promise<Ran> {
  const env = { ...process.env, ...options.env };
  return new Promise((done) => {
    const child = execFile(process.execPath, [MAIN, ...args], { env }, (error, stdout, stderr) => {
      done({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
    });
    child.stdin?.end(options.stdin ?? "");
  });
}

/** The arguments of a command line without quotes. */
export function words(commandLine: string): string[] {
  return commandLine.split(" ").filter((word) => word !== "");
}

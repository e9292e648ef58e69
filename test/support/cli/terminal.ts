import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { onTestFinished } from "vitest";
import { eventually } from "../eventually.ts";

const MAIN = resolve(import.meta.dirname, "../../../services/cli/main.ts");

/** `drawdown` on a terminal of its own. */
interface Terminal {
  /** Everything that was written to it, with its control sequences. */
  output(): string;
  shows(text: string): Promise<void>;
  type(keys: string): void;
  /** The exit code; 128 and the number of the signal that ended it. */
  readonly ended: Promise<unknown>;
}

export function openTerminal(command: string, env: NodeJS.ProcessEnv = {}): Terminal {
  const line = `${process.execPath} ${MAIN} ${command}`;
  const child = spawn("script", ["-q", "-e", "-c", line, "/dev/null"], {
    env: { ...process.env, TERM: "xterm", ...env },
    stdio: ["pipe", "pipe", "ignore"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let written = "";
  child.stdout.on("data", (chunk: Buffer) => {
    written += chunk.toString();
  });
  return {
    output: () => written,
    shows: (text) => eventually(`the terminal shows ${text}`, () => written.includes(text)),
    type: (keys) => void child.stdin.write(keys),
    ended: once(child, "exit").then(([code]) => code),
  };
}

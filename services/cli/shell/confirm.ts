import { createInterface } from "node:readline/promises";
import { PartUnavailable } from "./result.ts";

/** Runs what Ctrl-C may interrupt; the signal's reason then ends the command. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = new AbortController();
  const onInterrupt = () =>
    interrupt.abort(new PartUnavailable("interrupted; nothing was changed"));
  process.once("SIGINT", onInterrupt);
  try {
    return await work(interrupt.signal);
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}

/** Asks on the terminal; true only for "yes". Throws the signal's reason once it is aborted. */
export async function isConfirmed(question: string, signal: AbortSignal): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // While it asks, readline takes Ctrl-C for itself.
  terminal.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    const answer = await terminal.question(`${question} [yes/no] `, { signal });
    return answer.trim().toLowerCase() === "yes";
  } catch (error) {
    process.stderr.write("\n");
    signal.throwIfAborted();
    throw error;
  } finally {
    terminal.close();
  }
}

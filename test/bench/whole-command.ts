import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { startProcess } from "./consume.ts";
import { peakMegabytes } from "./cpu.ts";
import type { Bench } from "./throughput.ts";

const POLL_MS = 50;

/** Runs a command to its end: how long it took, and the most memory that it had. */
export async function runCommand(
  { servers }: Bench,
  url: string,
  args: readonly string[],
  mayEndWith: readonly number[] = [0],
): Promise<{ seconds: number; peakMegabytes: number }> {
  const startedAt = performance.now();
  const child = startProcess(servers, { args: ["services/cli/main.ts", ...args], url });
  const ended = once(child, "exit");
  let peak = 0;
  while (child.exitCode === null && child.signalCode === null) {
    peak = Math.max(peak, peakOf(child.pid ?? 0));
    await sleep(POLL_MS);
  }
  const [code]: unknown[] = await ended;
  if (typeof code !== "number" || !mayEndWith.includes(code)) {
    throw new Error(`${args[0]} ended with exit code ${code}`);
  }
  return { seconds: (performance.now() - startedAt) / 1000, peakMegabytes: peak };
}

/** 0 once it has ended. */
function peakOf(pid: number): number {
  try {
    return peakMegabytes(pid);
  } catch {
    return 0;
  }
}

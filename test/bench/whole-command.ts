import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Servers } from "./consume.ts";
import { peakMegabytes } from "./cpu.ts";
import type { Bench } from "./throughput.ts";

const POLL_MS = 50;

/** Runs a command to its end: its duration and peak memory. */
export async function runCommand(
  { servers }: Bench,
  url: string,
  args: readonly string[],
): Promise<{ seconds: number; peakMegabytes: number }> {
  const startedAt = performance.now();
  const child = startCommand(servers, url, args);
  const ended = once(child, "exit");
  let peak = 0;
  while (child.exitCode === null && child.signalCode === null) {
    peak = Math.max(peak, peakOf(child.pid ?? 0));
    await sleep(POLL_MS);
  }
  const [code]: unknown[] = await ended;
  if (code !== 0) throw new Error(`${args[0]} ended with exit code ${code}`);
  return { seconds: (performance.now() - startedAt) / 1000, peakMegabytes: peak };
}

const COMMAND = join(import.meta.dirname, "../../services/cli/drawdown.mjs");

/** Starts `drawdown` on the books at a URL, as an installation does. */
export function startCommand({ env }: Servers, url: string, args: readonly string[]): ChildProcess {
  return spawn(COMMAND, args, {
    env: { ...env, DATABASE_URL: url },
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/** 0 once it has ended. */
function peakOf(pid: number): number {
  try {
    return peakMegabytes(pid);
  } catch {
    return 0;
  }
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { guardProcess, releaseProcess } from "./process-guard.ts";
import { killTree, signalProcess } from "./process-table.ts";

export type Service = {
  readonly name: string;
  /** What Node runs. */
  readonly file: string;
};

export type Supervision = {
  /** Asks all to stop, waits, and kills what takes too long; then none is left. */
  stop(): Promise<void>;
  /** kill -9 for all; what starts none again. */
  kill(): Promise<void>;
};

export type SupervisionOptions = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Each line that a service writes, with its name, and what befalls it. */
  readonly say: (line: string) => void;
  readonly waits?: RestartWaits;
  readonly stopWithinMs?: number;
};

export type RestartWaits = {
  readonly firstMs: number;
  readonly longestMs: number;
  /** Who ran this long is well: its next restart waits `firstMs` again. */
  readonly healthyAfterMs: number;
};

const WAITS: RestartWaits = { firstMs: 500, longestMs: 30_000, healthyAfterMs: 60_000 };
const STOP_WITHIN_MS = 20_000;

/** Starts each service as a process of its own, and again whenever it ends. */
export function superviseServices(
  services: readonly Service[],
  options: SupervisionOptions,
): Supervision {
  const { say, waits = WAITS, stopWithinMs = STOP_WITHIN_MS } = options;
  const running = new Set<ChildProcess>();
  const stopping = new AbortController();

  const keepRunning = async (service: Service): Promise<void> => {
    for (let failures = 0; !stopping.signal.aborted; failures++) {
      const began = performance.now();
      const child = start(service, options);
      running.add(child);
      const what = await untilEnd(child);
      running.delete(child);
      if (stopping.signal.aborted) return;
      if (performance.now() - began >= waits.healthyAfterMs) failures = 0;
      const waitMs = restartWait(failures, waits);
      say(`${service.name} ${what}; it starts again in ${waitMs / 1000} s`);
      await wait(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  const allEnded = Promise.all(services.map(keepRunning));

  return {
    async stop() {
      stopping.abort();
      await Promise.all([...running].map((child) => stopChild(child, stopWithinMs)));
      await allEnded;
    },
    async kill() {
      stopping.abort();
      await Promise.all([...running].map(killChild));
      await allEnded;
    },
  };
}

/** The first wait, doubled for each failure in a row before this one. */
export function restartWait(failuresBefore: number, waits: RestartWaits = WAITS): number {
  return Math.min(waits.firstMs * 2 ** failuresBefore, waits.longestMs);
}

function start(service: Service, options: SupervisionOptions): ChildProcess {
  const child = spawn(process.execPath, [service.file], {
    detached: true, // a Ctrl-C is for us: we stop the services before what they need
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...options.env },
  });
  if (child.pid !== undefined) guardProcess(child.pid, "TERM");
  for (const stream of [child.stdout, child.stderr]) {
    passOn(stream, (line) => options.say(`${service.name} | ${line}`));
  }
  return child;
}

function passOn(stream: Readable, say: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on("line", say);
}

async function untilEnd(child: ChildProcess): Promise<string> {
  try {
    await once(child, "exit");
  } catch (error) {
    return `could not be started: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    if (child.pid !== undefined) releaseProcess(child.pid);
  }
  return child.signalCode === null
    ? `ended with code ${child.exitCode}`
    : `was ended by ${child.signalCode}`;
}

async function stopChild(child: ChildProcess, withinMs: number): Promise<void> {
  if (child.pid === undefined || hasEnded(child)) return;
  const ended = once(child, "exit").then(() => "ended");
  signalProcess(child.pid, "SIGTERM");
  const timer = new AbortController();
  const late = wait(withinMs, "late", { signal: timer.signal }).catch(() => "aborted");
  if ((await Promise.race([ended, late])) === "late") await killTree(child.pid);
  timer.abort();
}

async function killChild(child: ChildProcess): Promise<void> {
  if (child.pid !== undefined && !hasEnded(child)) await killTree(child.pid);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

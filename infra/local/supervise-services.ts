import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { describeEnd } from "./child-process.ts";
import { guardProcess, releaseProcess } from "./process-guard.ts";
import { killTree, stopProcess } from "./process-table.ts";
import { untilNotAlive } from "./watch-liveness.ts";

export interface Service {
  readonly name: string;
  /** The absolute path of the file that Node runs. */
  readonly file: string;
  /** Node's own options. */
  readonly nodeOptions?: readonly string[];
  /** Where it is told to answer `/livez`; it is restarted once it says that it is not alive. */
  readonly healthPort?: number;
}

export interface Supervision {
  /** The id of the service's process; undefined while none is running. */
  pidOf(service: string): number | undefined;
  /** Stops all services gracefully, or kills those that take too long. */
  stop(): Promise<void>;
  /** kill -9 without a restart. */
  kill(): Promise<void>;
}

export interface SupervisionOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Receives the output of services with their names, and reports of restarts. */
  readonly say: (line: string) => void;
  readonly waits?: RestartWaits;
  readonly stopWithinMs?: number;
  readonly askLivenessEveryMs?: number;
}

export interface RestartWaits {
  readonly firstMs: number;
  readonly longestMs: number;
  /** A service that ran this long is healthy: its next restart waits `firstMs` again. */
  readonly healthyAfterMs: number;
}

const HEALTH_HOST = "127.0.0.1";
const WAITS: RestartWaits = { firstMs: 500, longestMs: 30_000, healthyAfterMs: 60_000 };

/** Starts each service as a process, and restarts it whenever it ends, or says that it is not alive. */
export function superviseServices(
  services: readonly Service[],
  options: SupervisionOptions,
): Supervision {
  const { say, waits = WAITS, stopWithinMs } = options;
  const running = new Map<string, ChildProcess>();
  const stopping = new AbortController();

  const keepRunning = async (service: Service): Promise<void> => {
    for (let failures = 0; !stopping.signal.aborted; failures++) {
      const began = performance.now();
      const child = start(service, options);
      running.set(service.name, child);
      const ended = new AbortController();
      void stopUnlessAlive(service, child, options, ended.signal);
      const what = await untilEnd(child);
      ended.abort();
      running.delete(service.name);
      if (stopping.signal.aborted) return;
      if (performance.now() - began >= waits.healthyAfterMs) failures = 0;
      const waitMs = restartWait(failures, waits);
      say(`${service.name} ${what}; restarting in ${waitMs / 1000} s`);
      await wait(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  const allEnded = Promise.all(services.map(keepRunning));

  return {
    pidOf: (service) => running.get(service)?.pid,
    async stop() {
      stopping.abort();
      await Promise.all([...running.values()].map((child) => stopChild(child, stopWithinMs)));
      await allEnded;
    },
    async kill() {
      stopping.abort();
      await Promise.all([...running.values()].map(killChild));
      await allEnded;
    },
  };
}

/** The first wait, doubled for each failure in a row before this one. */
export function restartWait(failuresBefore: number, waits: RestartWaits = WAITS): number {
  return Math.min(waits.firstMs * 2 ** failuresBefore, waits.longestMs);
}

function start(service: Service, options: SupervisionOptions): ChildProcess {
  const child = spawn(process.execPath, [...(service.nodeOptions ?? []), service.file], {
    detached: true, // Ctrl-C reaches only us; we stop services before servers
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...options.env, ...healthEnv(service) },
  });
  if (child.pid !== undefined) guardProcess(child.pid, "TERM");
  for (const stream of [child.stdout, child.stderr]) {
    forwardLines(stream, (line) => options.say(`${service.name} | ${line}`));
  }
  return child;
}

function healthEnv({ healthPort }: Service): Readonly<Record<string, string>> {
  return healthPort === undefined ? {} : { HEALTH_HOST, HEALTH_PORT: String(healthPort) };
}

function forwardLines(stream: Readable, say: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on("line", say);
}

async function stopUnlessAlive(
  { name, healthPort }: Service,
  child: ChildProcess,
  { say, stopWithinMs, askLivenessEveryMs }: SupervisionOptions,
  ended: AbortSignal,
): Promise<void> {
  if (healthPort === undefined) return;
  const address = `http://${HEALTH_HOST}:${healthPort}`;
  const why = await untilNotAlive(address, ended, askLivenessEveryMs);
  if (why === null) return;
  say(`${name} is not alive (${why}); stopping it`);
  await stopChild(child, stopWithinMs);
}

async function untilEnd(child: ChildProcess): Promise<string> {
  try {
    await once(child, "exit");
  } catch (error) {
    return `could not be started: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    if (child.pid !== undefined) releaseProcess(child.pid);
  }
  return describeEnd({ code: child.exitCode, signal: child.signalCode });
}

async function stopChild(child: ChildProcess, withinMs?: number): Promise<void> {
  if (child.pid === undefined || hasEnded(child)) return;
  await stopProcess(child.pid, "SIGTERM", once(child, "exit"), withinMs);
}

async function killChild(child: ChildProcess): Promise<void> {
  if (child.pid !== undefined && !hasEnded(child)) await killTree(child.pid);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

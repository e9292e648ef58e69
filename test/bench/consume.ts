import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { METERING_SERVICE } from "../../infra/local/services.ts";
import { type CpuSeconds, cpuBetween, cpuSeconds, peakMegabytes } from "./cpu.ts";

/** One run of a consuming process over a backlog. */
export interface Run {
  readonly eventsPerSecond: number;
  readonly cpuPerMillion: CpuSeconds;
  readonly peakMegabytes: number;
  /** The longest time in which nothing was committed. */
  readonly longestPauseMs: number;
}

export interface Servers {
  readonly env: NodeJS.ProcessEnv;
  readonly postgresPid: number;
  readonly kafkaPid: number;
}

/** The metering service as `npm start` runs it. */
export const METERING_ARGS = [...(METERING_SERVICE.nodeOptions ?? []), METERING_SERVICE.file];

/** Excludes the first part: start and warm-up. */
const COUNTED_FROM = 0.2;
const POLL_MS = 20;
const LONGEST_MS = 15 * 60 * 1000;

/** Runs the floor over a topic of `total` events. */
export function runFloor(servers: Servers, url: string, topic: string, total: number) {
  return runPrinting(servers, { file: "test/bench/floor.ts", args: [topic], url, total });
}

/** Runs the lean floor, on the cheapest path of Node, over the same. */
export function runLeanFloor(servers: Servers, url: string, topic: string, total: number) {
  return runPrinting(servers, { file: "test/bench/lean-floor.ts", args: [topic], url, total });
}

/** Runs a file that prints, line by line, how many of `total` events are done. */
export async function runPrinting(
  servers: Servers,
  {
    file,
    args = [],
    url,
    total,
  }: { file: string; args?: readonly string[]; url: string; total: number },
): Promise<Run> {
  const child = startProcess(servers, { args: [file, ...args], url, stdout: "pipe" });
  let done = 0;
  child.stdout?.on("data", (lines: Buffer) => {
    done = Number(lines.toString().trim().split("\n").at(-1));
  });
  return timed(servers, child, total, async () => done);
}

/** Runs the metering service, everything on, over a backlog of `total` messages in `usage.events`. */
export async function runMetering(
  servers: Servers,
  url: string,
  total: number,
  settings: NodeJS.ProcessEnv = {},
): Promise<Run> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  pool.on("error", () => undefined);
  const child = startProcess(servers, { args: METERING_ARGS, url, settings });
  try {
    // The service writes where it starts from before it reads.
    let first = await sumOfOffsets(pool);
    for (; first === null; first = await sumOfOffsets(pool)) await sleep(POLL_MS);
    const from = first;
    return await timed(servers, child, total, async () => ((await sumOfOffsets(pool)) ?? 0) - from);
  } finally {
    await pool.end();
  }
}

async function sumOfOffsets(pool: pg.Pool): Promise<number | null> {
  const { rows } = await pool.query<{ sum: string | null }>(
    "SELECT sum(next_offset) FROM consumer_offset WHERE consumer = 'metering'",
  );
  const sum = rows[0]?.sum ?? null;
  return sum === null ? null : Number(sum);
}

/** Starts Node on `args`, for the books at `url`; its output is dropped unless piped. */
export function startProcess(
  servers: Servers,
  {
    args,
    url,
    stdout = "ignore",
    settings = {},
  }: {
    readonly args: readonly string[];
    readonly url?: string;
    readonly stdout?: "pipe" | "ignore";
    readonly settings?: NodeJS.ProcessEnv;
  },
): ChildProcess {
  const books = url === undefined ? {} : { DATABASE_URL: url };
  return spawn(process.execPath, args, {
    env: { ...servers.env, ...books, LOG_LEVEL: "warn", ...settings },
    stdio: ["ignore", stdout, "inherit"],
  });
}

/** Measures a process between a fifth of `total` and all of it, by `progress`, and stops it. */
export async function timed(
  servers: Servers,
  child: ChildProcess,
  total: number,
  progress: () => Promise<number>,
  pollMs = POLL_MS,
): Promise<Run> {
  const pids = { node: child.pid ?? 0, postgres: servers.postgresPid, kafka: servers.kafkaPid };
  try {
    const from = await reach(child, total * COUNTED_FROM, progress, pollMs);
    const before = cpuSeconds(pids);
    const to = await reach(child, total, progress, pollMs, from);
    const cpu = cpuBetween(before, cpuSeconds(pids));
    const events = to.done - from.done;
    return {
      eventsPerSecond: (events * 1000) / (to.atMs - from.atMs),
      cpuPerMillion: {
        node: (cpu.node * 1e6) / events,
        postgres: (cpu.postgres * 1e6) / events,
        kafka: (cpu.kafka * 1e6) / events,
      },
      peakMegabytes: peakMegabytes(pids.node),
      longestPauseMs: to.longestPauseMs,
    };
  } finally {
    child.kill("SIGKILL");
    if (child.exitCode === null) await once(child, "exit");
  }
}

interface Reached {
  readonly done: number;
  readonly atMs: number;
}

async function reach(
  child: ChildProcess,
  goal: number,
  progress: () => Promise<number>,
  pollMs: number,
  since: Reached = { done: 0, atMs: performance.now() },
): Promise<Reached & { longestPauseMs: number }> {
  const deadline = performance.now() + LONGEST_MS;
  let moved = since;
  let longestPauseMs = 0;
  for (;;) {
    const done = await progress();
    const atMs = performance.now();
    if (done > moved.done) {
      longestPauseMs = Math.max(longestPauseMs, atMs - moved.atMs);
      moved = { done, atMs };
    }
    if (done >= goal) return { done, atMs, longestPauseMs };
    if (child.exitCode !== null) throw new Error(`${child.spawnargs.join(" ")} ended early`);
    if (atMs > deadline) throw new Error(`no more than ${done} of ${goal} events in time`);
    await sleep(pollMs);
  }
}

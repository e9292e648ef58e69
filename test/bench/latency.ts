import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { openUsageClient } from "../../shared/client/usage-client.ts";
import { USAGE_READER } from "../../shared/core/text/topics.ts";
import type { Reader } from "../../shared/ledger/books/consumer-offset.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { eventually } from "../support/eventually.ts";
import { METERING_ARGS, startProcess } from "./consume.ts";
import type { Figure } from "./figure.ts";
import { stepFigures } from "./latency-steps.ts";
import { accountName, METERS, seededRandom } from "./load.ts";
import { quantile, spreadOf } from "./statistics.ts";
import type { Bench } from "./throughput.ts";
import { type Breakdown, breakDown, type Published, type Trace } from "./trace.ts";

const EVENTS_PER_SECOND = 2_000;
const TICK_MS = 5;
const ACCOUNTS = 10_000;
const TRACER = join(import.meta.dirname, "trace-metering.ts");
/** Events published before this are warm-up and do not count. */
const WARM_UP_MS = 5_000;
const START_MS = 60_000;

/** From publish to committed debit at a steady pace, beside publish to bare consume. */
export async function pacedLatency(bench: Bench, seconds: number): Promise<Figure[]> {
  const rounds: { bare: number[]; metered: number[] }[] = [];
  for (let round = 0; round < bench.rounds; round += 1) {
    bench.say(`latency at ${EVENTS_PER_SECOND} events/s: round ${round + 1} of ${bench.rounds}`);
    rounds.push({ bare: await bare(bench, seconds), metered: await metered(bench, seconds) });
  }
  const figures = [0.5, 0.99].map((q) => {
    const bareMs = rounds.map((round) => quantile(round.bare, q));
    const meteredMs = rounds.map((round) => quantile(round.metered, q));
    return {
      name: `publish to committed debit, p${q * 100}, ${EVENTS_PER_SECOND} events/s`,
      value: spreadOf(meteredMs).median,
      unit: "ms",
      beside: { name: "bare consume", value: spreadOf(bareMs).median },
      ratio: spreadOf(meteredMs.map((ms, i) => ms / (bareMs[i] ?? Number.NaN))),
      ...(q === 0.99 ? { target: { atMost: 3 } } : {}),
    };
  });
  bench.say("latency, step by step");
  return [...figures, ...stepFigures(await traced(bench, seconds))];
}

async function bare(bench: Bench, seconds: number): Promise<number[]> {
  const child = spawn(process.execPath, ["test/bench/bare-consumer.ts"], {
    env: { ...bench.servers.env, LOG_LEVEL: "warn" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  try {
    const countedFrom = await publishPaced(bench, seconds);
    child.kill("SIGTERM");
    await once(child, "close");
    // What it logs comes before.
    const all: number[] = JSON.parse(
      Buffer.concat(chunks).toString().trim().split("\n").at(-1) ?? "[]",
    );
    return sorted(all.slice(-countedFrom));
  } finally {
    await end(child);
  }
}

async function metered(bench: Bench, seconds: number): Promise<number[]> {
  return whileMetering(bench, { args: METERING_ARGS }, async ({ pool }) => {
    const counted = await publishPaced(bench, seconds);
    const { rows } = await pool.query<{ ms: string }>(
      `SELECT extract(epoch FROM pg_xact_commit_timestamp(page.xmin) - first_at) * 1000 - after AS ms
       FROM usage_page AS page CROSS JOIN LATERAL unnest(page.occurred_after) AS after
       ORDER BY first_at + after * interval '0.001 s' DESC LIMIT $1`,
      [counted],
    );
    return sorted(rows.map(({ ms }) => Number(ms)));
  });
}

async function traced(bench: Bench, seconds: number): Promise<Breakdown> {
  const file = join(tmpdir(), `drawdown-trace-${process.pid}.json`);
  const started = { args: ["--import", TRACER, ...METERING_ARGS], settings: { TRACE_FILE: file } };
  return whileMetering(bench, started, async ({ pool, child }) => {
    const counted = await publishPaced(bench, seconds);
    const { rows } = await pool.query<Published>(
      `SELECT kafka_partition AS partition, kafka_offset::float8 AS "offset",
              extract(epoch FROM occurred_at)::float8 * 1000 AS "publishedAt"
       FROM usage_record ORDER BY occurred_at DESC LIMIT $1`,
      [counted],
    );
    child.kill("SIGTERM");
    await once(child, "exit");
    const trace: Trace = JSON.parse(readFileSync(file, "utf8"));
    rmSync(file);
    return breakDown(rows, trace);
  });
}

async function whileMetering<T>(
  bench: Bench,
  { args, settings }: { args: readonly string[]; settings?: NodeJS.ProcessEnv },
  work: (running: { pool: pg.Pool; child: ChildProcess }) => Promise<T>,
): Promise<T> {
  const url = await bench.books.make(ACCOUNTS, 1);
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  pool.on("error", () => undefined);
  await skipBacklog(bench, pool, USAGE_READER);
  const child = startProcess(bench.servers, { args, url, ...(settings && { settings }) });
  try {
    await untilMetering(bench, pool);
    return await work({ pool, child });
  } finally {
    await end(child);
    await pool.end();
    await bench.books.drop(url);
  }
}

/** Metering has started and joined its group once it has metered something. */
async function untilMetering(bench: Bench, pool: pg.Pool): Promise<void> {
  const { kafka, registry } = readSettings(bench.servers.env);
  const client = openUsageClient({ kafka, registry, source: "bench" });
  await client.publish({ accountId: accountName(0), meter: METERS[0], quantity: 1 });
  await client.close();
  const isMetered = async () => {
    const { rows } = await pool.query<{ found: boolean }>(
      "SELECT EXISTS (SELECT FROM usage_record) AS found",
    );
    return rows[0]?.found ?? false;
  };
  await eventually("metering meters an event", isMetered, START_MS);
}

/** New books start at the topic's first message: this skips what other scenarios left there. */
export async function skipBacklog(bench: Bench, pool: pg.Pool, reader: Reader): Promise<void> {
  const admin = bench.kafka.admin();
  await admin.connect();
  for (const { partition, high } of await admin.fetchTopicOffsets(reader.topic)) {
    await pool.query(
      `INSERT INTO consumer_offset VALUES ($1, $2, $3, $4)
       ON CONFLICT (consumer, topic, kafka_partition) DO UPDATE SET next_offset = $4`,
      [reader.consumer, reader.topic, partition, high],
    );
  }
  await admin.disconnect();
}

/** Publishes at a steady pace; returns how many of the events, the last ones, count. */
async function publishPaced(bench: Bench, seconds: number): Promise<number> {
  const { kafka, registry } = readSettings(bench.servers.env);
  const client = openUsageClient({ kafka, registry, source: "bench" });
  const random = seededRandom(seconds);
  const startedAt = performance.now();
  const published: Promise<unknown>[] = [];
  let due = 0;
  let warm = 0;
  for (let passed = 0; passed < seconds * 1000 + WARM_UP_MS; ) {
    passed = performance.now() - startedAt;
    for (; due < (passed * EVENTS_PER_SECOND) / 1000; due += 1) {
      if (passed < WARM_UP_MS) warm += 1;
      published.push(
        client.publish({
          accountId: accountName(random(ACCOUNTS)),
          meter: METERS[due % METERS.length] ?? METERS[0],
          quantity: 1 + random(5_000),
        }),
      );
    }
    await sleep(TICK_MS);
  }
  await Promise.all(published);
  await client.close();
  await sleep(1_000);
  return due - warm;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  // A member that leaves its group does not keep the next one waiting.
  child.kill("SIGTERM");
  await once(child, "exit");
}

function sorted(numbers: number[]): number[] {
  return numbers.sort((a, b) => a - b);
}

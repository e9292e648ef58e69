import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { openUsageClient } from "../../shared/client/usage-client.ts";
import { USAGE_READER } from "../../shared/core/text/topics.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { eventually } from "../support/eventually.ts";
import { makeBenchKey, startApi } from "./api-process.ts";
import { METERING_ARGS, startProcess } from "./consume.ts";
import type { Figure } from "./figure.ts";
import { skipBacklog } from "./latency.ts";
import { accountName, METERS } from "./load.ts";
import { quantile, spreadOf } from "./statistics.ts";
import { openStreams } from "./streams.ts";
import type { Bench } from "./throughput.ts";

const EVENTS_PER_SECOND = 1_000;
const ACCOUNTS = 100;
const TICK_MS = 5;
const WARM_UP_MS = 5_000;
const START_MS = 30_000;
const SETTLE_MS = 5_000;
/** The price of an event in micro-credits, so that a position shows its number of events. */
const QUANTITY = 1_000_000;

/** From an event published to the number changed in its account's stream, metering as a real process. */
export async function streamDelay(bench: Bench, seconds: number): Promise<Figure[]> {
  const rounds: number[][] = [];
  for (let round = 0; round < bench.rounds; round += 1) {
    bench.say(`stream at ${EVENTS_PER_SECOND} events/s: round ${round + 1} of ${bench.rounds}`);
    rounds.push(await delays(bench, seconds));
  }
  const name = `published to changed in the stream, ${EVENTS_PER_SECOND.toLocaleString("en")} events/s`;
  const at = (q: number) => spreadOf(rounds.map((round) => quantile(round, q))).median;
  return [
    { name: `${name}, p50`, value: at(0.5), unit: "ms" },
    { name: `${name}, p99`, value: at(0.99), unit: "ms", target: { atMost: 1_000 } },
  ];
}

async function delays(bench: Bench, seconds: number): Promise<number[]> {
  const url = await bench.books.make(ACCOUNTS, 1);
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  pool.on("error", () => undefined);
  await skipBacklog(bench, pool, USAGE_READER);
  const price = await priceOf(pool);
  await pool.end();
  const key = await makeBenchKey(url, "read");
  const metering = startProcess(bench.servers, { args: METERING_ARGS, url });
  const api = await startApi(bench, url);
  const accounts = Array.from({ length: ACCOUNTS }, (_, at) => accountName(at));
  const published = new Map(accounts.map((account) => [account, [] as number[]]));
  const seen: number[] = [];
  let countedFrom = Number.POSITIVE_INFINITY;
  const streams = await openStreams(api.origin, key, accounts, (event, data) => {
    if (event !== "balance") return;
    const { account_id, position } = JSON.parse(data);
    const waiting = published.get(account_id) ?? [];
    const now = performance.now();
    const read = Math.round(Number(position) / price);
    for (const [at, then] of waiting.entries()) {
      if (at >= read) break;
      if (then === 0) continue;
      if (then > countedFrom) seen.push(now - then);
      waiting[at] = 0;
    }
  });
  const isSeen = () => [...published.values()].every((times) => times.every((then) => then === 0));
  const settled = (withinMs: number) =>
    eventually("every event changes a stream's number", isSeen, withinMs);
  try {
    // Metering has started and joined its group once it has metered something.
    await publish(bench, published, 0);
    await settled(START_MS);
    countedFrom = performance.now() + WARM_UP_MS;
    await publish(bench, published, WARM_UP_MS + seconds * 1000);
    await settled(SETTLE_MS);
    return seen.sort((a, b) => a - b);
  } finally {
    streams.close();
    await api.end();
    metering.kill("SIGTERM");
    if (metering.exitCode === null && metering.signalCode === null) await once(metering, "exit");
    await bench.books.drop(url);
  }
}

async function priceOf(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ credits: string }>(
    "SELECT credits * $2 / per AS credits FROM rate WHERE meter = $1",
    [METERS[0], QUANTITY],
  );
  return Number(rows[0]?.credits);
}

/** Publishes at a steady pace for a duration, one event at least, account by account, and records when. */
async function publish(
  bench: Bench,
  published: ReadonlyMap<string, number[]>,
  milliseconds: number,
): Promise<void> {
  const { kafka, registry } = readSettings(bench.servers.env);
  const client = openUsageClient({ kafka, registry, source: "bench" });
  const accounts = [...published];
  const startedAt = performance.now();
  const acknowledged: Promise<unknown>[] = [];
  let passed = 0;
  do {
    const due = 1 + (passed * EVENTS_PER_SECOND) / 1000;
    while (acknowledged.length < due) {
      const [accountId, noted] = accounts[acknowledged.length % accounts.length] ?? ["", []];
      noted.push(performance.now());
      acknowledged.push(client.publish({ accountId, meter: METERS[0], quantity: QUANTITY }));
    }
    await sleep(TICK_MS);
    passed = performance.now() - startedAt;
  } while (passed < milliseconds);
  await Promise.all(acknowledged);
  await client.close();
}

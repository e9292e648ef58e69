import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { WEBHOOKS_SERVICE } from "../../infra/local/services.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { putInOutbox } from "../../shared/ledger/outbox/outbox.ts";
import {
  type Database,
  inTransaction,
  openDatabase,
} from "../../shared/ledger/postgres/database.ts";
import { createEndpoint } from "../../shared/ledger/webhooks/endpoints.ts";
import { eventually } from "../support/eventually.ts";
import { METERING_ARGS, startProcess } from "./consume.ts";
import type { Figure } from "./figure.ts";
import { accountName } from "./load.ts";
import { quantile, spreadOf } from "./statistics.ts";
import type { Bench } from "./throughput.ts";

const EVENTS_PER_SECOND = 500;
const ACCOUNTS = 1_000;
const LONGEST_MS = 1_000;
const TICK_MS = 20;
/** Events committed before this are warm-up and do not count. */
const WARM_UP_MS = 5_000;
const START_MS = 60_000;
const ALL_WITHIN_MS = 30_000;

/** From an event's commit to its arrival at a receiver on this machine, at a steady pace. */
export async function webhookLatency(bench: Bench, seconds: number): Promise<Figure[]> {
  const rounds: number[][] = [];
  for (let round = 0; round < bench.rounds; round += 1) {
    bench.say(`webhooks at ${EVENTS_PER_SECOND} events/s: round ${round + 1} of ${bench.rounds}`);
    rounds.push(await delays(bench, seconds));
  }
  const name = `committed to delivered by webhook, ${EVENTS_PER_SECOND} events/s`;
  const at = (q: number) => spreadOf(rounds.map((round) => quantile(round, q))).median;
  return [
    { name: `${name}, p50`, value: at(0.5), unit: "ms" },
    { name: `${name}, p99`, value: at(0.99), unit: "ms", target: { atMost: LONGEST_MS } },
  ];
}

/** Milliseconds, sorted. Metering publishes what is committed. */
async function delays(bench: Bench, seconds: number): Promise<number[]> {
  const url = await bench.books.make(ACCOUNTS, 1);
  const database = openDatabase({ url, tls: null }, { name: "bench", connections: 4 });
  const receiver = await openReceiver();
  const settings = { WEBHOOK_ALLOW_PRIVATE: "true" };
  const endpoint = { url: receiver.url, types: [TOPICS.credits], by: "bench", now: Date.now() };
  await createEndpoint(database, endpoint);
  const webhookArgs = [...(WEBHOOKS_SERVICE.nodeOptions ?? []), WEBHOOKS_SERVICE.file];
  const services = [METERING_ARGS, webhookArgs].map((args) =>
    startProcess(bench.servers, { args, url, settings }),
  );
  const commits = openCommits(database);
  try {
    await commits.commit(1);
    await eventually("the first one arrives", () => receiver.arrivedAt.size > 0, START_MS);
    const countedFrom = performance.now() + WARM_UP_MS;
    await commits.pace(WARM_UP_MS + seconds * 1_000);
    const isThere = () => [...commits.committedAt.keys()].every((id) => receiver.arrivedAt.has(id));
    await eventually("all arrive", isThere, ALL_WITHIN_MS);
    const counted = [...commits.committedAt].filter(([, at]) => at > countedFrom);
    return counted
      .map(([id, at]) => (receiver.arrivedAt.get(id) ?? Number.NaN) - at)
      .sort((a, b) => a - b);
  } finally {
    await Promise.all(services.map(stop));
    receiver.close();
    await database.end();
    await bench.books.drop(url);
  }
}

/** Commits events of accounts in turn, and keeps when. */
function openCommits(database: Database) {
  const committedAt = new Map<string, number>();
  let count = 0;
  async function commit(events: number): Promise<void> {
    const records = Array.from({ length: events }, () => {
      const account_id = accountName(count % ACCOUNTS);
      // No other scenario's records of this account have as large a one.
      const sequence = BigInt(Date.now()) * 1_000_000n + BigInt(count);
      count += 1;
      const what = { account_id, sequence, kind: "grant", credits: 5n, balance: 5n, lot_id: null };
      const record = { ...what, reference: "", posted_at: Date.now(), due_at: null };
      return { accountId: toAccountId(account_id), topic: TOPICS.credits, sequence, record };
    });
    await inTransaction(database, (transaction) => putInOutbox(transaction, records));
    const now = performance.now();
    for (const { accountId, sequence } of records) committedAt.set(`${accountId} ${sequence}`, now);
  }
  return {
    committedAt,
    commit,
    async pace(ms: number): Promise<void> {
      const startedAt = performance.now();
      let done = 0;
      while (performance.now() - startedAt < ms) {
        const due = Math.floor(((performance.now() - startedAt) * EVENTS_PER_SECOND) / 1_000);
        if (due > done) await commit(due - done);
        done = due;
        await sleep(TICK_MS);
      }
    },
  };
}

/** Answers each webhook with 200, and keeps when it came first. */
async function openReceiver() {
  const arrivedAt = new Map<string, number>();
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const now = performance.now();
      response.end();
      const { account_id, sequence } = JSON.parse(Buffer.concat(pieces).toString());
      const id = `${account_id} ${sequence}`;
      if (!arrivedAt.has(id)) arrivedAt.set(id, now);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, arrivedAt, close: () => void server.close() };
}

async function stop(service: ChildProcess): Promise<void> {
  service.kill("SIGTERM");
  if (service.exitCode === null && service.signalCode === null) await once(service, "exit");
}

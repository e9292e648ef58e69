import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { API_SERVICE, METERING_SERVICE, SCHEDULER_SERVICE } from "../../infra/local/services.ts";
import { startSimulatedGateway } from "../../infra/simulated-gateway/start-gateway.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { grantCredits } from "../../shared/ledger/credits/grant-credits.ts";
import { type Books, openAccount, openBooks, setPrice } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { openPayer, sellCredits, untilPayment, use } from "../support/books/payers.ts";
import { eventually } from "../support/eventually.ts";
import { testKafka } from "../support/kafka/kafka.ts";
import { openUsagePublisher } from "../support/kafka/publish-usage.ts";
import { takeUsageTopic } from "../support/kafka/usage-topic.ts";
import { makeKey } from "../support/processes/api.ts";
import { openKafkaProxy } from "../support/processes/kafka-proxy.ts";
import { publishPending } from "../support/processes/live-server.ts";
import { type ServiceProcess, startService } from "../support/processes/service-process.ts";
import { openPostgresProxy, type TcpProxy } from "../support/processes/tcp-proxy.ts";
import { TURN_MS, takeTopUpGroup, topUpProcess } from "../support/processes/top-up-process.ts";

/**
 * From one moment on, every connection of a service to Postgres, or to Kafka, swallows what is sent on it,
 * and new ones work. Each service, a real process, is at work again by itself. Each has books and proxies
 * of its own, so that all are silenced at once.
 */
const WITHIN_MS = 30_000;
const TEST_MS = 60_000;
const kafka = testKafka();
const [broker = ""] = (process.env["KAFKA_BROKERS"] ?? "").split(",");
const name = `silence-${Date.now()}`;
/** Closes what was opened, the last first. */
const opened = new AsyncDisposableStack();
const subjects = new Map<string, Subject>();

/** A service and its surroundings. */
interface Subject {
  readonly books: Books;
  readonly Postgres: TcpProxy;
  readonly Kafka: TcpProxy;
  readonly process: ServiceProcess;
  /** Gives it something to do, and waits until it has done it. */
  work(): Promise<void>;
}

beforeAll(async () => {
  opened.defer(await takeUsageTopic(kafka));
  opened.defer(await takeTopUpGroup(kafka));
  const subjectOf = { metering, scheduler, "top-up": topUp, api };
  await Promise.all(
    Object.entries(subjectOf).map(async ([service, open]) => {
      const subject = await surround(open);
      await subject.work();
      subjects.set(service, subject);
    }),
  );
}, TURN_MS);

afterAll(() => opened.disposeAsync(), TEST_MS);

const SERVICES = ["metering", "scheduler", "top-up", "api"] as const;

describe.each(["Postgres", "Kafka"] as const)("all connections to %s go silent", (server) => {
  test.concurrent.each(SERVICES)(
    "%s works again within 30 s, the same process",
    async (service) => {
      const subject = subjects.get(service);
      if (subject === undefined) throw new Error(`${service} did not start`);
      const from = performance.now();
      expect(subject[server].swallow()).toBeGreaterThan(0);
      await subject.work();
      const ms = performance.now() - from;
      console.log(
        `${service}, silent to ${server}: at work again after ${(ms / 1000).toFixed(1)} s`,
      );
      expect(ms).toBeLessThan(WITHIN_MS);
      expect(subject.process.log.filter(({ level }) => level === "fatal")).toEqual([]);
      expect(await brokenInvariants(subject.books.database)).toEqual([]);
    },
    TEST_MS,
  );
});

interface Surroundings extends Pick<Subject, "books"> {
  readonly env: NodeJS.ProcessEnv;
}

/** Opens books and proxies, and starts a service between them. */
async function surround(
  open: (around: Surroundings) => Promise<Pick<Subject, "process" | "work">>,
): Promise<Subject> {
  const books = await openBooks();
  opened.defer(books.close);
  const Postgres = await openPostgresProxy(books.url);
  opened.defer(Postgres.close);
  const Kafka = await openKafkaProxy(broker);
  opened.defer(Kafka.close);
  await setPrice(books, "call", 1n);
  const env = { ...process.env, DATABASE_URL: Postgres.url, KAFKA_BROKERS: Kafka.broker };
  const service = await open({ books, env });
  opened.defer(service.process.kill);
  return { books, Postgres, Kafka, ...service };
}

async function metering({ books, env }: Surroundings) {
  const account = `${name}-metered`;
  await openAccount(books, account);
  const usage = await openUsagePublisher(kafka);
  opened.defer(usage.close);
  let published = 0;
  return {
    process: startService(METERING_SERVICE, env),
    async work() {
      published += 1;
      await usage.publish([{ eventId: `event-${published}`, accountId: account, quantity: 1n }]);
      await until("it is metered", books, `SELECT count(*) = ${published} FROM usage_record`);
    },
  };
}

/** It reads the books by the clock and publishes. */
async function scheduler({ books, env }: Surroundings) {
  const account = `${name}-granted`;
  await openAccount(books, account);
  const process = startService(SCHEDULER_SERVICE, { ...env, SCHEDULER_CRON: "* * * * * *" });
  const runs = () => process.log.filter(({ msg }) => msg === "run").length;
  return {
    process,
    async work() {
      const before = runs();
      await grant(books, account);
      await until("the grant is published", books, "SELECT count(*) = 0 FROM outbox");
      // One may have been under way.
      await eventually("it has run", () => runs() > before + 1, TEST_MS);
    },
  };
}

/** Up to where the books have read low balances. */
const READ = `(SELECT coalesce(sum(next_offset), 0) FROM consumer_offset WHERE topic = '${TOPICS.lowBalance}')`;

/** It publishes what an account's usage crosses, reads it from Kafka and charges. */
async function topUp({ books, env }: Surroundings) {
  await sellCredits(books);
  const dataDir = await mkdtemp(join(tmpdir(), "drawdown-silence-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const gateway = await startSimulatedGateway({ dataDir });
  opened.defer(gateway.close);
  let payers = 0;
  return {
    process: topUpProcess({ databaseUrl: env["DATABASE_URL"] ?? "", gatewayUrl: gateway.url, env }),
    async work() {
      payers += 1;
      const account = `${name}-pays-${payers}`;
      await openPayer(books, account);
      const { rows } = await books.database.query<{ read: string }>(`SELECT ${READ}::text AS read`);
      await use(books, { [account]: 6_000_000n });
      await untilPayment(books, account, "succeeded", TEST_MS);
      await until("it has read on", books, `SELECT ${READ} > ${rows[0]?.read}`);
      await until("all is published", books, "SELECT count(*) = 0 FROM outbox");
    },
  };
}

/** It answers from the books, publishes usage, and streams what it reads from Kafka. */
async function api({ books, env }: Surroundings) {
  const account = `${name}-streams`;
  await openAccount(books, account);
  const process = startService(API_SERVICE, { ...env, API_PORT: "0" });
  const origin = String((await process.says(/^serving$/, TEST_MS))["address"]);
  const headers = { authorization: `Bearer ${await makeKey(books, ["admin"])}` };
  const isRead = async () => (await fetch(`${origin}/v1/accounts/${account}`, { headers })).ok;
  const isPublished = async () => {
    const id = crypto.randomUUID();
    const event = {
      specversion: "1.0",
      id,
      source: "test",
      type: "call",
      subject: account,
      data: { quantity: 1 },
    };
    const init = { method: "POST", headers: { ...headers, "content-type": "application/json" } };
    return (await fetch(`${origin}/v1/events`, { ...init, body: JSON.stringify(event) })).ok;
  };
  return {
    process,
    async work() {
      await eventually("an account is shown", isRead, TEST_MS);
      await eventually("usage is taken", isPublished, TEST_MS);
      const stream = await fetch(`${origin}/v1/accounts/${account}/stream`, { headers });
      const lot = await grant(books, account);
      await publishPending(books);
      await untilTold(stream, lot);
    },
  };
}

async function untilTold({ body }: Response, text: string): Promise<void> {
  let told = "";
  for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    told += chunk;
    if (told.includes(text)) return;
  }
  throw new Error(`the stream ended without ${text}: ${told}`);
}

/** Grants a credit; returns its lot. */
async function grant({ database }: Books, account: string): Promise<string> {
  const lotId = crypto.randomUUID();
  const lot = { lotId, source: "promotion", reference: "" } as const;
  const terms = { ...lot, credits: 1n, end: { kind: "never" } } as const;
  await grantCredits(database, toAccountId(account), terms, Date.now());
  return lotId;
}

async function until(what: string, { database }: Books, sql: string): Promise<void> {
  const holds = async () => {
    const { rows } = await database.query<Record<string, boolean>>(sql);
    return Object.values(rows[0] ?? {})[0] === true;
  };
  await eventually(what, holds, TEST_MS);
}

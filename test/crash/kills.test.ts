import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { METERING, TOPICS } from "../../shared/core/text/topics.ts";
import { DEFAULT_WINDOW } from "../../shared/core/usage/usage-event.ts";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";
import { addMonth } from "../../shared/ledger/usage/add-usage-month.ts";
import { createModel, type Model } from "../model/reference-model.ts";
import { type Books, openAccount, openBooks, setPrice } from "../support/books/books.ts";
import { toldByBooks, toldByModel } from "../support/books/books-told.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import type { Usage } from "../support/books/usage-batches.ts";
import { eventually } from "../support/eventually.ts";
import { dismissMembers } from "../support/kafka/dismiss-members.ts";
import { type Collector, collectTopic, testKafka } from "../support/kafka/kafka.ts";
import { openUsagePublisher, type UsagePublisher } from "../support/kafka/publish-usage.ts";
import { emptyTopics, takeUsageTopic, untilCaughtUp } from "../support/kafka/usage-topic.ts";
import { type MeteringProcess, startMetering } from "../support/processes/metering-process.ts";
import type { Statement } from "../support/processes/postgres-frames.ts";
import { openPostgresProxy, type PostgresProxy } from "../support/processes/tcp-proxy.ts";

/**
 * Metering as a real process, killed with SIGKILL and started again; afterwards the books equal those of
 * the reference model, and the topics match the books.
 */
const MINUTE = 60_000;
const kafka = testKafka();
const brokers = process.env["KAFKA_BROKERS"] ?? "";

let giveTopicBack: () => Promise<void>;
let usage: UsagePublisher;
let balances: Collector<{ version: bigint; balance: bigint }>;
let lowBalances: Collector<{ cause: string; balance: bigint }>;
let books: Books;
let proxy: PostgresProxy;
let model: Model;
let accounts: string[];
let metering: MeteringProcess | null = null;
let round = 0;
let tests = 0;

beforeAll(async () => {
  giveTopicBack = await takeUsageTopic(kafka);
  usage = await openUsagePublisher(kafka);
  balances = await collectTopic(kafka, SCHEMAS.balances);
  lowBalances = await collectTopic(kafka, SCHEMAS.lowBalance);
}, 300_000);

afterAll(async () => {
  await metering?.kill();
  await proxy?.close();
  await books?.close();
  await Promise.all([usage?.close(), balances?.stop(), lowBalances?.stop()]);
  await giveTopicBack?.();
});

beforeEach(async () => {
  await metering?.kill();
  await proxy?.close();
  await books?.close();
  await dismissMembers(kafka, brokers, METERING);
  await emptyTopics(kafka, [TOPICS.usageEvents]);
  books = await openBooks();
  proxy = await openPostgresProxy(books.url);
  await openWorld();
});

test("killed before any statement of its transaction, and right after COMMIT: metered exactly once", async () => {
  const killedAt: string[] = [];
  for (let step = 0; killedAt.at(-1) !== "COMMIT"; step += 1) {
    expect(step, `killed at: ${killedAt.join("; ")}`).toBeLessThan(30);
    killedAt.push(await killAt((statement) => isStep(statement, step), "freeze"));
  }
  await killAt(({ sql, earlier }) => sql === "COMMIT" && isMetering(earlier), "lose the answer");
  await start();
  await expectEverythingMetered();

  const steps = killedAt.join("\n");
  for (const step of [
    /^BEGIN/,
    /consumer_offset/,
    /FROM account/,
    /INTO usage_page|COPY usage_page/,
  ]) {
    expect(steps).toMatch(step);
  }
  for (const step of [
    /INTO dead_letter/,
    /INTO entry|COPY entry/,
    /INTO outbox|COPY outbox/,
    /UPDATE account/,
  ]) {
    expect(steps).toMatch(step);
  }
}, 180_000);

test("killed repeatedly at random moments under load: metered exactly once", async () => {
  const seed = Date.now();
  console.log(`kills at random moments: seed ${seed}`);
  const random = randomFrom(seed);
  for (let kill = 0; kill < 5; kill += 1) {
    await start();
    const publishing = publishMany(4_000);
    await eventually("it has begun", async () => (await countRecords()) > 0);
    await pause(random() * 700);
    await killAndDismiss();
    await publishing;
  }
  await start();
  await expectEverythingMetered();
}, 120_000);

test("one of two processes is killed: the other takes over, and everything is metered exactly once", async () => {
  await start();
  const other = startMetering({ ...process.env, DATABASE_URL: books.url });
  await other.says(/^metering$/);
  const publishing = publishMany(10_000);
  await eventually("both have begun", async () => (await countRecords()) > 0);
  await killAndDismiss();
  await publishing;
  await expectEverythingMetered();
  expect(await other.stop()).toBe(0);
}, 90_000);

test("a process that stalls until others have its partitions, and then continues, meters nothing twice", async () => {
  const zombie = await start();
  const caught = proxy.catchNext(
    ({ sql, earlier }) => /^(COPY|INSERT INTO) usage_page/.test(sql) && isMetering(earlier),
    async () => zombie.freeze(),
  );
  const publishing = publishMany(3_000);
  await caught;
  await dismissMembers(kafka, brokers, METERING);
  const other = startMetering({ ...process.env, DATABASE_URL: books.url });
  await other.says(/^metering$/);
  await publishing;
  await eventually("the other one meters", async () => (await countRecords()) > 0, 40_000);
  zombie.thaw();
  await expectEverythingMetered();
  expect(await other.stop()).toBe(0);
}, 90_000);

/** Accounts with lots that expire during the events, and thresholds that they cross. */
async function openWorld(): Promise<void> {
  tests += 1;
  round = 0;
  const now = Date.now();
  const rates = [{ meter: "call", validFrom: 0, credits: 1_000_000n, per: 1n }];
  // The first batch of a month begins again once the month has its partition, with other steps.
  await addMonth(books.database, now);
  await setPrice(books, "call", 1_000_000n);
  model = createModel({ rates, window: DEFAULT_WINDOW });
  accounts = Array.from({ length: 6 }, (_, index) => `crash-${now}-${tests}-${index}`);
  for (const account of accounts) {
    const threshold = 20_000_000n;
    const lots = Array.from({ length: 20 }, (_, lot) => ({
      credits: 30_000_000n,
      expiresAt: now - (60 - lot) * MINUTE,
    }));
    const openedAt = now - 120 * MINUTE;
    await openAccount(books, account, { threshold, lots, at: openedAt });
    model.createAccount(account, { threshold });
    for (const [index, { credits, expiresAt }] of lots.entries()) {
      model.grant(account, `${account}-lot-${index + 1}`, credits, expiresAt);
    }
  }
}

/**
 * A round of events of all accounts: later rounds are later in time, with a repeat and unfit ones among
 * them.
 */
function eventsOfRound(): Usage[] {
  round += 1;
  const minute = Math.max(1, 62 - round * 2);
  return accounts.flatMap((accountId): Usage[] => {
    const event = { accountId, quantity: 5n, occurredAt: Date.now() - minute * MINUTE };
    return [
      { ...event, eventId: `e${round}` },
      { ...event, eventId: `zero-${round}`, quantity: 0n },
      { ...event, eventId: `e${round}` },
      { ...event, eventId: `e${round}`, quantity: 6n },
      { ...event, eventId: `bad-${round}`, meter: "nothing" },
      { ...event, eventId: `more-${round}`, quantity: BigInt(round) },
    ];
  });
}

async function publish(events: readonly Usage[]): Promise<void> {
  for (const event of await usage.publish(events)) model.receive(event, Date.now());
}

async function publishMany(count: number): Promise<void> {
  round += 1;
  const events = Array.from(
    { length: count },
    (_, index): Usage => ({
      eventId: `many-${round}-${index}`,
      accountId: accounts[index % accounts.length] ?? "",
      quantity: BigInt(index % 3),
    }),
  );
  for (let at = 0; at < count; at += 250) await publish(events.slice(at, at + 250));
}

async function start(): Promise<MeteringProcess> {
  metering = startMetering({ ...process.env, DATABASE_URL: proxy.url });
  await metering.says(/^metering$/);
  return metering;
}

async function killAndDismiss(): Promise<void> {
  proxy.release();
  await metering?.kill();
  await dismissMembers(kafka, brokers, METERING);
}

/** Lets metering run up to a statement and kills it there; returns the statement it was about to send. */
async function killAt(
  when: (statement: Statement) => boolean,
  fate: "freeze" | "lose the answer",
): Promise<string> {
  await publish(eventsOfRound());
  const caught = proxy.catchNext(when, fate);
  await start();
  const { sql } = await caught;
  await killAndDismiss();
  return sql;
}

/** Statement number `step` of a transaction that meters; its BEGIN looks like any other. */
function isStep({ sql, earlier }: Statement, step: number): boolean {
  if (earlier.length !== step) return false;
  return step === 0 ? sql === "BEGIN" : isMetering([...earlier, sql]);
}

function isMetering([, first = ""]: readonly string[]): boolean {
  return first.includes("consumer_offset") && first.includes("FOR UPDATE");
}

async function expectEverythingMetered(): Promise<void> {
  await untilCaughtUp(kafka, books.database, 45_000);
  expect(await brokenInvariants(books.database)).toEqual([]);
  for (const account of accounts) {
    const { lowBalances: _, ...told } = await toldByBooks(books.database, account);
    const { lowBalances: said, ...expected } = toldByModel(model, account);
    expect(told, account).toEqual(expected);
    await expectTopicsToTell(account, said);
  }
  expect(await countDeadLetters()).toBe(model.deadLetters.length);
}

/** Each low balance at least once and in order, and the newest balance last. */
async function expectTopicsToTell(
  account: string,
  said: readonly { cause: string; balance: bigint }[],
): Promise<void> {
  const expected = said.map(({ cause, balance }, index) => ({
    sequence: String(index + 1),
    cause,
    balance,
  }));
  const told = () => {
    const ours = lowBalances.received.filter(({ key }) => key === account);
    const once = new Map(ours.map(({ sequence, record }) => [sequence, record]));
    return [...once].map(([sequence, { cause, balance }]) => ({ sequence, cause, balance }));
  };
  await eventually("all low balances are told", () => told().length >= expected.length);
  expect(told()).toEqual(expected);

  const { rows } = await books.database.query<{ version: bigint }>(
    "SELECT version FROM account WHERE account_id = $1",
    [account],
  );
  const newest = () => balances.received.findLast(({ key }) => key === account)?.sequence;
  await eventually("the newest balance is told", () => newest() === String(rows[0]?.version));
}

async function countRecords(): Promise<number> {
  return await count("usage_record");
}

async function countDeadLetters(): Promise<number> {
  return await count("dead_letter");
}

async function count(table: string): Promise<number> {
  const { rows } = await books.database.query<{ n: number }>(
    `SELECT count(*)::integer AS n FROM ${table}`,
  );
  return rows[0]?.n ?? -1;
}

/** Not left to luck: any moment will do, and each one differs. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TOPICS, USAGE_READER } from "../../../shared/core/text/topics.ts";
import { startOffsets } from "../../../shared/ledger/books/consumer-offset.ts";
import { recordUsageComplete } from "../../../shared/ledger/books/usage-complete.ts";
import { type Books, openBooks } from "../../support/books/books.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { openCatalogue, openSubscriber } from "../../support/books/subscribers.ts";
import { drawdown, type Ran, words } from "../../support/cli/drawdown.ts";
import { rawProducer, testKafka } from "../../support/kafka/kafka.ts";
import { takeUsageTopic } from "../../support/kafka/usage-topic.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const CREDIT = 1_000_000;
const kafka = testKafka();
const now = Date.now();

/** The account's months turn on the day it subscribed: yesterday, in about a month, in about two. */
const nextTurn = startOfDay(monthsFrom(now - DAY, 1));
const secondTurn = startOfDay(monthsFrom(now - DAY, 2));

let books: Books;
let giveTopicBack: () => Promise<void>;

beforeAll(async () => {
  giveTopicBack = await takeUsageTopic(kafka);
  books = await openBooks();
  await openCatalogue(books);
  const day = { at: startOfDay(now - DAY), renewal: "day_of_month" } as const;
  await openSubscriber(books, "cli-month", { ...day, voices: 1 });
}, 300_000);

afterAll(async () => {
  await books?.close();
  await giveTopicBack?.();
});

const run = (line: string, env: Record<string, string> = {}): Promise<Ran> =>
  drawdown(words(`scheduler run ${line}`), { env: { DATABASE_URL: books.url, ...env } });

const runJson = async (line: string, env?: Record<string, string>) => {
  const { code, stdout, stderr } = await run(`${line} --json`, env);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
};

const at = (instant: number) => `--at ${new Date(instant).toISOString()}`;

const none = { count: 0, credits: "0" };

test("now: nothing is due, and Kafka is not needed", async () => {
  expect(await runJson("", { KAFKA_BROKERS: "127.0.0.1:1" })).toEqual({
    outcome: "ran",
    at: expect.stringMatching(/Z$/),
    accounts: 0,
    ...{ grants: none, expiries: none, add_on_charges: none, notices: none },
    ...{ fees: 0, ended: 0, low_balances: 0 },
    usage_complete_until: null,
    usage_unread: null,
    waiting: { due: 0, oldest_due_at: null },
    seconds: expect.any(Number),
  });
});

describe("refuses", () => {
  test.each([
    [
      "a past instant",
      at(now - 2 * MINUTE),
      1,
      /is in the past; run without --at to post what is due/,
    ],
    [
      "to post without a terminal to ask at",
      at(nextTurn + DAY),
      2,
      /it asks before it posts what is not due yet, .*add --yes or --dry-run/,
    ],
    ["no instant", "--at tomorrow", 2, /--at must be an instant like/],
    ["an instant without an offset", "--at 2099-01-01T00:00:00", 2, /--at must be an instant like/],
  ])("%s", async (_, line, code, sentence) => {
    const before = await entries();
    expect(await run(line)).toEqual({ code, stdout: "", stderr: expect.stringMatching(sentence) });
    expect(await entries()).toEqual(before);
  });
});

describe("at a future instant", () => {
  test("with unread usage, a dry run shows the turns, and what waits and why", async () => {
    await publishSomething();
    const before = await entries();
    const { code, stdout } = await run(`${at(secondTurn + DAY)} --dry-run`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^WOULD POST +COUNT +CREDITS\ngrants +2 +200\nexpiries +0 +0\n/);
    expect(stdout).toMatch(/1 account would move \(\S+ s\)\. Nothing was changed\.\n/);
    expect(stdout).toMatch(
      /Usage is not known to be complete \(metering has not read all usage\): exp/,
    );
    expect(await entries()).toEqual(before);
  });

  test("reports that Kafka cannot be reached, and expiries wait", async () => {
    const told = await runJson(`${at(nextTurn)} --dry-run`, { KAFKA_BROKERS: "127.0.0.1:1" });
    expect(told.usage_unread).toMatch(/^Kafka at 127\.0\.0\.1:1 cannot be reached/);
    expect(told.grants.count).toBe(1);
  });

  test("a run posts the turn, and shows what waits for usage since when", async () => {
    await recordUsageComplete(books.database, now);
    const told = await runJson(`${at(nextTurn + DAY)} --yes`);
    expect(told).toMatchObject({
      outcome: "ran",
      accounts: 1,
      grants: { count: 1, credits: String(100 * CREDIT) },
      add_on_charges: none,
      usage_unread: "metering has not read all usage",
      waiting: { due: 1, oldest_due_at: new Date(nextTurn).toISOString() },
    });
    expect(await entries()).toHaveLength(3);
  });

  test("once metering has read every partition, a run posts what waited, as the dry run showed", async () => {
    await readToTheEnd();
    const line = at(secondTurn + 15 * MINUTE);
    const would = await runJson(`${line} --dry-run`);
    expect(would).toMatchObject({
      outcome: "would_run",
      grants: { count: 1, credits: String(100 * CREDIT) },
      expiries: { count: 1, credits: String(60 * CREDIT) },
      add_on_charges: { count: 2, credits: String(40 * CREDIT) },
      usage_complete_until: new Date(secondTurn).toISOString(),
      usage_unread: null,
      waiting: null,
    });
    const { outcome, waiting, seconds, ...done } = await runJson(`${line} --yes`);
    expect(would).toMatchObject(done);
    expect({ outcome, waiting }).toEqual({
      outcome: "ran",
      waiting: { due: 0, oldest_due_at: null },
    });
    expect(seconds).toBeLessThan(60);
    expect(await brokenInvariants(books.database)).toEqual([]);
  });

  test("publishes each expiry notice once, as configured", async () => {
    const thirdTurn = startOfDay(monthsFrom(now - DAY, 3));
    const line = `${at(thirdTurn - 3 * DAY)} --yes`;
    const quiet = await runJson(line, { EXPIRY_NOTICE_DAYS: "0" });
    expect(quiet.notices).toEqual(none);
    const told = await runJson(line);
    expect(told.notices).toEqual({ count: 1, credits: expect.stringMatching(/0000000$/) });
    expect((await runJson(line)).notices).toEqual(none);
  });
});

test("reports in one sentence that Postgres cannot be reached", async () => {
  expect(await run("", { DATABASE_URL: "postgres://nobody@127.0.0.1:1/books" })).toEqual({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/^Postgres at 127\.0\.0\.1:1\/books cannot be reached: .*\n$/),
  });
});

async function publishSomething(): Promise<void> {
  const producer = await rawProducer(kafka);
  await producer.send({ topic: TOPICS.usageEvents, messages: [{ value: "no usage" }] });
  await producer.disconnect();
}

async function readToTheEnd(): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(TOPICS.usageEvents);
  await admin.disconnect();
  const ends = new Map(offsets.map(({ partition, high }) => [partition, BigInt(high)]));
  await startOffsets(books.database, USAGE_READER, ends);
}

async function entries(): Promise<unknown[]> {
  const { rows } = await books.database.query("TABLE entry ORDER BY account_id, sequence");
  return rows;
}

function monthsFrom(instant: number, months: number): number {
  const date = new Date(instant);
  const first = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months + 1, 0);
  const day = Math.min(date.getUTCDate(), new Date(first).getUTCDate());
  return first - (new Date(first).getUTCDate() - day) * DAY;
}

function startOfDay(instant: number): number {
  return instant - (instant % DAY);
}

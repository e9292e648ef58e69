import { afterAll, beforeAll, expect, test } from "vitest";
import { toAccountId } from "../../shared/core/text/text.ts";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";
import { grantCredits } from "../../shared/ledger/credits/grant-credits.ts";
import { type Books, openAccount, openBooks, setPrice } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import type { Usage } from "../support/books/usage-batches.ts";
import { eventually } from "../support/eventually.ts";
import { type Collector, collectTopic, testKafka } from "../support/kafka/kafka.ts";
import { openUsagePublisher, type UsagePublisher } from "../support/kafka/publish-usage.ts";
import { takeUsageTopic, untilCaughtUp } from "../support/kafka/usage-topic.ts";
import { type MeteringProcess, startMetering } from "../support/processes/metering-process.ts";

/** Usage through the real topic and a real metering process, as downstream consumers see it. */
const PROMISED_WITHIN_MS = 2_000;
const HOUR = 3_600_000;
const kafka = testKafka();
const prefix = `downstream-${Date.now()}`;

interface Balance {
  readonly version: bigint;
  readonly granted: bigint;
  readonly position: bigint;
  readonly balance: bigint;
}

interface LowBalance {
  readonly crossing: bigint;
  readonly balance: bigint;
  readonly threshold: bigint;
  readonly cause: string;
}

let giveTopicBack: () => Promise<void>;
let books: Books;
let usage: UsagePublisher;
let metering: MeteringProcess;
let balances: Collector<Balance>;
let lowBalances: Collector<LowBalance>;

beforeAll(async () => {
  giveTopicBack = await takeUsageTopic(kafka);
  books = await openBooks();
  await setPrice(books, "call", 1_000_000n);
  await setPrice(books, "token", 3n, 7n);
  usage = await openUsagePublisher(kafka);
  balances = await collectTopic<Balance>(kafka, SCHEMAS.balances);
  lowBalances = await collectTopic<LowBalance>(kafka, SCHEMAS.lowBalance);
  metering = startMetering({ ...process.env, DATABASE_URL: books.url });
  await metering.says(/^metering$/);
}, 300_000);

afterAll(async () => {
  await Promise.all([balances?.stop(), lowBalances?.stop(), usage?.close()]);
  await metering?.stop();
  await books?.close();
  await giveTopicBack?.();
});

test("the balance on the compacted topic equals the books within two seconds of a change", async () => {
  const account = `${prefix}-balance`;
  await openAccount(books, account, { lots: [{ credits: 10_000_000n }] });
  for (let round = 1; round <= 5; round += 1) {
    await usage.publish([{ eventId: `e${round}`, accountId: account, quantity: BigInt(round) }]);
    const position = BigInt((round * (round + 1)) / 2) * 1_000_000n;
    await eventually("it is debited", async () => (await stateOf(account)).position === position);
    await eventually(
      "the topic tells the same",
      async () => {
        const told = balances.received.findLast(({ key }) => key === account);
        const { version, granted } = await stateOf(account);
        return told?.record.version === version && told.record.granted === granted;
      },
      PROMISED_WITHIN_MS,
    );
    const told = balances.received.findLast(({ key }) => key === account);
    expect(told?.record).toMatchObject({ position, balance: 10_000_000n - position });
    expect(told?.sequence).toBe(told?.record.version.toString());
  }
});

test("an account's balances are never older than the one before", () => {
  const newest = new Map<string | null, bigint>();
  for (const { key, record } of balances.received) {
    if (key?.startsWith(prefix) !== true) continue;
    expect(record.version).toBeGreaterThanOrEqual(newest.get(key) ?? 0n);
    newest.set(key, record.version);
  }
  expect(newest.size).toBeGreaterThan(0);
});

test("a low balance is published once for each crossing, numbered, with the event that crossed", async () => {
  const account = `${prefix}-low`;
  await openAccount(books, account, { lots: [{ credits: 10_000_000n }], threshold: 4_000_000n });
  await usage.publish([
    { eventId: "above", accountId: account, quantity: 5n },
    { eventId: "crosses", accountId: account, quantity: 2n },
    { eventId: "below", accountId: account, quantity: 1n },
  ]);
  await untilCaughtUp(kafka, books.database);
  const grant = { lotId: "more", credits: 5_000_000n, source: "top_up", reference: "" } as const;
  const end = { kind: "never" } as const;
  await grantCredits(books.database, toAccountId(account), { ...grant, end }, Date.now());
  await usage.publish([{ eventId: "crosses again", accountId: account, quantity: 4n }]);

  const told = () => lowBalances.received.filter(({ key }) => key === account);
  await eventually("both are told", () => told().length >= 2);
  expect(told().map(({ sequence, record }) => ({ sequence, ...record }))).toMatchObject([
    { sequence: "1", crossing: 1n, balance: 3_000_000n, cause: "event:crosses" },
    { sequence: "2", crossing: 2n, balance: 3_000_000n, cause: "event:crosses again" },
  ]);
});

test("spend is the sum of the usage per account, meter and hour of the account's zone, within two seconds", async () => {
  const zones = ["UTC", "Asia/Kolkata", "America/St_Johns", "Asia/Kathmandu"];
  const accounts = zones.map((_, index) => `${prefix}-spend-${index}`);
  for (const [index, account] of accounts.entries()) {
    await openAccount(books, account, { timeZone: zones[index] ?? "UTC" });
  }
  const events = accounts.flatMap((accountId) =>
    Array.from(
      { length: 60 },
      (_, index): Usage => ({
        eventId: `e${index}`,
        accountId,
        meter: index % 3 === 0 ? "call" : "token",
        quantity: BigInt(index),
        occurredAt: Date.now() - Math.round((index * HOUR) / 7),
      }),
    ),
  );
  await usage.publish(events);
  await usage.publish(events.slice(0, 30));
  await untilCaughtUp(kafka, books.database);
  await eventually(
    "spend equals the usage",
    async () => (await spendThatDiffers()).length === 0,
    PROMISED_WITHIN_MS,
  ).catch(() => undefined);
  expect(await spendThatDiffers()).toEqual([]);
  expect(await hoursThatAreNotWhole()).toEqual([]);
});

test("the books balance, and nothing waits to be published", async () => {
  expect(await brokenInvariants(books.database)).toEqual([]);
  await eventually("the outbox is empty", async () => {
    const { rowCount } = await books.database.query("TABLE outbox");
    return rowCount === 0;
  });
});

test("a service that is asked to stop exits cleanly", async () => {
  expect(await metering.stop()).toBe(0);
  expect(metering.log.filter(({ level }) => level === "error" || level === "fatal")).toEqual([]);
});

async function stateOf(account: string) {
  const { rows } = await books.database.query<{
    version: bigint;
    granted: bigint;
    position: bigint;
  }>("SELECT version, granted, position FROM account WHERE account_id = $1", [account]);
  const [row] = rows;
  if (row === undefined) throw new Error(`there is no account ${account}`);
  return row;
}

async function spendThatDiffers(): Promise<unknown[]> {
  const { rows } = await books.database.query(`
    WITH used AS (
      SELECT account_id, date_trunc('hour', occurred_at, time_zone) AS hour, meter,
             count(*) AS events, sum(quantity) AS quantity, sum(usage_record.credits) AS credits
      FROM usage_record JOIN account USING (account_id)
      GROUP BY 1, 2, 3
    )
    SELECT *
    FROM used FULL JOIN spend USING (account_id, hour, meter)
    WHERE (used.events, used.quantity, used.credits)
          IS DISTINCT FROM (spend.events, spend.quantity, spend.credits)`);
  return rows;
}

/** Hours begin at full hours of the account's own clock, whatever its offset. */
async function hoursThatAreNotWhole(): Promise<unknown[]> {
  const { rows } = await books.database.query(`
    SELECT account_id, hour FROM spend JOIN account USING (account_id)
    WHERE extract(minute FROM hour AT TIME ZONE time_zone) <> 0`);
  return rows;
}

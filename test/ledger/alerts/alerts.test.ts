/**
 * Alerts in real books:
 * - each level of the month's credits once a month, by the event or entry that reached it, however events are
 *   batched and however often they are delivered
 * - accounts that ask for nothing are told nothing
 * - top-ups that fail or come near their limit, and a runway that is short, are said once and again when re-armed
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type AlertSettings, DEFAULT_ALERTS } from "../../../shared/core/alerts/alert-settings.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { setAlerts } from "../../../shared/ledger/alerts/alert-settings.ts";
import { listAlerts } from "../../../shared/ledger/alerts/list-alerts.ts";
import { ratesReader } from "../../../shared/ledger/catalogue/rates.ts";
import { noticeRunway } from "../../../shared/ledger/month/notice-runways.ts";
import { runSchedule } from "../../../shared/ledger/month/run-schedule.ts";
import { settleAccounts } from "../../../shared/ledger/month/settle-accounts.ts";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { debitUsage } from "../../../shared/ledger/usage/debit-usage.ts";
import { type Books, openBooks } from "../../support/books/books.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { openCatalogue, openSubscriber } from "../../support/books/subscribers.ts";
import { type Usage, usageBatches } from "../../support/books/usage-batches.ts";

const CREDIT = 1_000_000n;
const NOW = Date.now();
const LOT = "plan:1:0";
/** Its months turn on the day it subscribed, so that none turns during the test. */
const SINCE_NOW = { at: NOW - 1, renewal: "day_of_month" } as const;

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await openCatalogue(books);
});

afterEach(async () => {
  expect(await brokenInvariants(books.database)).toEqual([]);
});

afterAll(() => books?.close());

async function watch(id: string, settings: Partial<AlertSettings> = {}, now = NOW): Promise<void> {
  const by = { accountId: toAccountId(id), now, by: "test" };
  const asked = { ...DEFAULT_ALERTS, runwayDays: null, ...settings };
  expect(await setAlerts(books.database, by, asked)).toEqual({ kind: "set" });
}

/** An account with 100 credits of the month, that asks for the usual levels. */
async function openWatched(id: string, settings: Partial<AlertSettings> = {}): Promise<void> {
  await openSubscriber(books, id, SINCE_NOW);
  await watch(id, settings);
}

const use = (id: string, ...credits: readonly number[]): Usage[] =>
  credits.map((quantity, at) => ({
    ...{ eventId: `${id}-${at + 1}`, accountId: id, quantity: BigInt(quantity) },
  }));

/** Oldest first. */
async function raised(id: string) {
  const alerts = await inTransaction(books.database, (transaction) =>
    listAlerts(transaction, toAccountId(id), { before: null, limit: 100 }),
  );
  return alerts.reverse();
}

const levels = async (id: string) =>
  (await raised(id)).map(({ sequence, level, cause }) => `${sequence}: ${level} % by ${cause}`);

async function published(id: string) {
  const { rows } = await books.database.query(
    "SELECT sequence, record FROM outbox WHERE account_id = $1 AND topic = 'billing.alerts' ORDER BY sequence",
    [id],
  );
  return rows;
}

describe("of the month's credits", () => {
  const CAUSES = ["1: 50 % by event:%-2", "2: 80 % by event:%-4", "3: 100 % by event:%-5"];
  const STEPS = [49, 1, 29, 1, 40, 5];

  test.each([
    { id: "one-by-one", batches: 6 },
    { id: "at-once", batches: 1 },
    { id: "in-pairs", batches: 3 },
  ])("each level is raised once, by the event that reaches it: $id", async ({ id, batches }) => {
    await openWatched(id);
    const { debit } = usageBatches(books, id);
    const events = use(id, ...STEPS);
    const size = events.length / batches;
    for (let at = 0; at < events.length; at += size) await debit(events.slice(at, at + size));
    expect(await levels(id)).toEqual(CAUSES.map((text) => text.replace("%-", `${id}-`)));
    expect(await raised(id)).toMatchObject([
      { used: 50n * CREDIT, limit: 100n * CREDIT, window: LOT, currency: null },
      { used: 80n * CREDIT },
      { used: 100n * CREDIT, reason: "100 % of the month's credits are used." },
    ]);
    expect(await published(id)).toHaveLength(3);
  });

  test("a batch that is delivered again raises nothing", async () => {
    await openWatched("again");
    const batch = usageBatches(books, "again").next(use("again", 60));
    for (let delivery = 0; delivery < 2; delivery += 1) {
      await debitUsage(books.database, ratesReader(), batch);
    }
    expect(await levels("again")).toEqual(["1: 50 % by event:again-1"]);
  });

  test("a batch that has read the account before its alerts were set raises what it reaches", async () => {
    await openSubscriber(books, "raced", SINCE_NOW);
    const read = ratesReader();
    let tries = 0;
    const readRates: typeof read = async (transaction) => {
      const rates = await read(transaction);
      tries += 1;
      if (tries === 1) await watch("raced");
      return rates;
    };
    const batch = usageBatches(books, "raced").next(use("raced", 60));
    await debitUsage(books.database, readRates, batch);
    expect(tries).toBe(2);
    expect(await levels("raced")).toEqual(["1: 50 % by event:raced-1"]);
  });

  test("an account that asks for nothing, or no more, is told nothing", async () => {
    await openSubscriber(books, "silent", SINCE_NOW);
    await openWatched("stopped");
    const by = { accountId: toAccountId("stopped"), now: NOW, by: "test" };
    await setAlerts(books.database, by, null);
    await usageBatches(books, "quiet").debit([...use("silent", 100), ...use("stopped", 100)]);
    expect([...(await raised("silent")), ...(await raised("stopped"))]).toEqual([]);
  });

  test("levels that are reached already are raised when they are asked for, by the event that did", async () => {
    await openSubscriber(books, "late", SINCE_NOW);
    await usageBatches(books, "late").debit(use("late", 30, 30));
    await watch("late", { monthPercents: [10, 50, 90] });
    await watch("late", { monthPercents: [50, 55, 90] });
    expect(await levels("late")).toEqual([
      "1: 10 % by event:late-1",
      "2: 50 % by event:late-2",
      "3: 55 % by event:late-2",
    ]);
  });

  test("the next month has levels of its own, behind what was left", async () => {
    await openWatched("next");
    const { debit } = usageBatches(books, "next");
    await debit(use("next", 60));
    const clock = NOW + 32 * 86_400_000;
    const run = { clock, completeUntil: clock, limit: 100 };
    await settleAccounts(books.database, run, null);
    // 40 are left of the first month.
    await debit([{ eventId: "m-1", accountId: "next", quantity: 89n }]);
    expect(await levels("next")).toEqual(["1: 50 % by event:next-1"]);
    await debit([{ eventId: "m-2", accountId: "next", quantity: 1n }]);
    expect((await raised("next")).at(-1)).toMatchObject({ level: 50, window: "plan:1:1" });
  });
});

describe("of the runway", () => {
  const HOUR = 3_600_000;
  const look = (id: string, now: number) => noticeRunway(books.database, toAccountId(id), now);

  test("it is raised when the credits last for fewer days, and again once they have lasted longer", async () => {
    await openWatched("runway", { monthPercents: [], runwayDays: 3 });
    const { debit } = usageBatches(books, "runway");
    await debit(use("runway", 20));
    await look("runway", NOW + HOUR);
    expect(await raised("runway")).toEqual([]);
    await debit([{ eventId: "more", accountId: "runway", quantity: 20n }]);
    // 60 are left at 40 a day.
    for (const at of [2, 2, 3]) await look("runway", NOW + at * HOUR);
    expect(await raised("runway")).toMatchObject([
      {
        kind: "runway",
        level: 3,
        window: "1",
        cause: "time",
        reason: expect.stringMatching(/until 20/),
      },
    ]);
    await look("runway", NOW + 9 * 24 * HOUR);
    await debit([{ eventId: "most", accountId: "runway", quantity: 50n }]);
    await look("runway", NOW + 9 * 24 * HOUR + 1);
    expect(await raised("runway")).toHaveLength(1);
    await watch("runway", { monthPercents: [], runwayDays: 3 });
    await look("runway", NOW + HOUR);
    expect((await raised("runway")).map(({ window }) => window)).toEqual(["1", "2"]);
  });

  test("only those that ask for it are looked at, by the scheduler's run", async () => {
    await openWatched("asks", { runwayDays: 365 });
    await openWatched("asks-not");
    await usageBatches(books, "asks").debit([...use("asks", 10), ...use("asks-not", 10)]);
    const run = { clock: NOW, completeUntil: null, noticeWithinMs: 0 };
    for await (const _ of runSchedule(books.database, run));
    expect(await raised("asks")).toMatchObject([{ kind: "runway", level: 365 }]);
    expect(await raised("asks-not")).toEqual([]);
  });
});

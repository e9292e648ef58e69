/** Sums and lists of usage on real books: exact for any range, and they read what they show. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { toAccountId } from "../../../shared/core/text/text.ts";
import type { UsageStep } from "../../../shared/core/usage/usage-steps.ts";
import { ratesReader } from "../../../shared/ledger/catalogue/rates.ts";
import { settleAccounts } from "../../../shared/ledger/month/settle-accounts.ts";
import { queryRow, type Transaction } from "../../../shared/ledger/postgres/database.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import { debitUsage } from "../../../shared/ledger/usage/debit-usage.ts";
import { listUsage, type UsagePlace, type UsageRange } from "../../../shared/ledger/usage/list.ts";
import { sumAddOns } from "../../../shared/ledger/usage/sum-add-ons.ts";
import { sumUsage, type UsageGroup } from "../../../shared/ledger/usage/sum-usage.ts";
import { randomFrom } from "../../model/random.ts";
import {
  type Books,
  connect,
  openAccount,
  openBooks,
  setPrice,
} from "../../support/books/books.ts";
import { openCatalogue, openSubscriber } from "../../support/books/subscribers.ts";
import { type Usage, usageBatches } from "../../support/books/usage-batches.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const GROUPS: readonly UsageGroup[] = ["meter", "source", { dimension: "agent" }];
const ALL = 1_000_000;

let books: Books;
/** As the API opens it. */
let database: Books["database"];

beforeAll(async () => {
  books = await openBooks();
  database = connect(books.url, 2, "of_one_account");
  await setPrice(books, "call", 7n, 3n);
  await setPrice(books, "token", 1n, 2n);
  await setPrice(books, "free", 0n);
});

afterAll(async () => {
  await database?.end();
  await books?.close();
});

type Metered = Required<Pick<Usage, "eventId" | "occurredAt" | "meter" | "source">> & {
  readonly agent: string;
  readonly quantity: bigint;
};

function keyOf(event: Metered, group: UsageGroup): string {
  if (group === "meter" || group === "source") return event[group];
  return event.agent;
}

/** Opens an account and meters its usage in batches, each at its time; its zone changes at two thirds. */
async function meter(id: string, events: readonly Metered[], zones: readonly [string, string]) {
  const first = events[0]?.occurredAt ?? 0;
  await openAccount(books, id, {
    timeZone: zones[0],
    at: first - DAY,
    lots: [{ credits: 1_000n }],
  });
  const usage = usageBatches(books, id);
  const readRates = ratesReader();
  const size = Math.ceil(events.length / 9);
  for (let from = 0; from < events.length; from += size) {
    if (from >= 6 * size) {
      const change = "UPDATE account SET time_zone = $2 WHERE account_id = $1";
      await books.database.query(change, [id, zones[1]]);
    }
    const part = events.slice(from, from + size);
    const batch = usage.next(
      part.map(({ agent, ...event }) => ({
        ...{ ...event, accountId: id, dimensions: agent === "" ? {} : { agent } },
      })),
    );
    const now = Math.max(...part.map(({ occurredAt }) => occurredAt)) + 1_000;
    await debitUsage(books.database, readRates, { ...batch, now });
  }
}

/** Events of three days, a few of them late by up to two days: metered in this order. */
function eventsFrom(start: number, seed: number): Metered[] {
  const random = randomFrom(seed);
  return Array.from({ length: 450 }, (_, i) => {
    const late = random.whole(6) === 0 ? random.whole(2 * DAY) : 0;
    return {
      eventId: `e-${seed}-${i}`,
      occurredAt: start + Math.floor((i * 3 * DAY) / 450) - late + random.whole(20 * MINUTE),
      meter: random.pick(["call", "token", "free"]),
      source: random.pick(["", "app", "web"]),
      agent: random.pick(["", "ann", "bob"]),
      quantity: BigInt(random.whole(1_000)),
    };
  });
}

describe.each([
  { zones: ["Asia/Kolkata", "Asia/Kolkata"], start: "2026-03-10T00:00:00Z" },
  { zones: ["Asia/Kathmandu", "Asia/Kathmandu"], start: "2026-03-10T00:00:00Z" },
  // The clock goes back by half an hour on 4 April at 15:00Z, and on by it on 3 October at 15:30Z.
  { zones: ["Australia/Lord_Howe", "Australia/Lord_Howe"], start: "2026-04-03T00:00:00Z" },
  { zones: ["Australia/Lord_Howe", "Asia/Kathmandu"], start: "2026-10-02T00:00:00Z" },
  { zones: ["UTC", "Asia/Kolkata"], start: "2026-03-10T00:00:00Z" },
  { zones: ["Asia/Kathmandu", "America/New_York"], start: "2026-03-07T00:00:00Z" },
] as const)("usage in $zones.0, then in $zones.1, from $start", ({ zones, start }) => {
  const id = `sums-${zones.join("-").replaceAll("/", "-")}-${start.slice(0, 10)}`;
  const began = Date.parse(start);
  const events = eventsFrom(began, began % 97);

  beforeAll(() => meter(id, events, zones));

  const sums = (from: number, to: number, step: UsageStep | null, group: UsageGroup) =>
    readSnapshot(database, async (transaction) => {
      const range = { from, to, step, timeZone: zones[1], group, limit: ALL };
      return sumUsage(transaction, toAccountId(id), range);
    });

  const numberOf = (group: UsageGroup, from: number, to: number) => {
    const within = events.filter(({ occurredAt }) => occurredAt >= from && occurredAt < to);
    return Object.fromEntries(
      [...Map.groupBy(within, (event) => keyOf(event, group))].map(([key, of]) => [key, of.length]),
    );
  };

  test("is summed exactly over any range, in any step, by any group", async () => {
    const instant = fc.integer({ min: began - 3 * DAY, max: began + 4 * DAY });
    const cut = fc.oneof(
      instant,
      instant.map((at) => at - (at % (30 * MINUTE))),
      instant.map((at) => at - (at % (15 * MINUTE))),
      fc.constantFrom(...events.map(({ occurredAt }) => occurredAt)),
    );
    const step = fc.constantFrom<UsageStep | null>(null, "hour", "day", "month");
    await fc.assert(
      fc.asyncProperty(cut, cut, cut, step, async (a, b, c, by) => {
        const [from = 0, middle = 0, to = 0] = [a, b, c].sort((x, y) => x - y);
        const credits: bigint[] = [];
        for (const group of GROUPS) {
          const whole = await sums(from, to, by, group);
          const parts = [
            ...(await sums(from, middle, by, group)),
            ...(await sums(middle, to, by, group)),
          ];
          expect(totalsOf(parts)).toEqual(totalsOf(whole));
          const counted = totalsOf(whole).map(([key, { events: count }]) => [key, Number(count)]);
          expect(Object.fromEntries(counted)).toEqual(numberOf(group, from, to));
          for (const { at, key, events: count } of whole) {
            const end = whole.find((later) => later.at > at)?.at ?? to;
            const here = numberOf(group, Math.max(at, from), end);
            expect(Number(count)).toBe(here[key]);
          }
          credits.push(whole.reduce((sum, total) => sum + total.credits, 0n));
        }
        expect(new Set(credits).size).toBe(1);
      }),
      { numRuns: 8 },
    );
  });

  test("is listed whole, page by page, whatever the range", async () => {
    for (const [from, to] of [
      [began - 3 * DAY, began + 4 * DAY],
      [began + 20 * HOUR + 1, began + 20 * HOUR + 40 * MINUTE],
      [began + DAY, began + DAY + 7 * HOUR],
    ] as const) {
      for (const only of [null, "call"]) {
        const seen = await listWhole(id, { from, to, meter: only });
        const expected = events
          .filter(({ occurredAt: at, meter: of }) => at >= from && at < to && (only ?? of) === of)
          .map(({ eventId }) => eventId);
        expect(seen).toEqual(expected.toReversed());
      }
    }
  });
});

async function listWhole(id: string, range: UsageRange): Promise<string[]> {
  const seen: string[] = [];
  let before: UsagePlace | null = null;
  do {
    const page = await listPage(id, range, before);
    seen.push(...page.map(({ eventId }) => eventId));
    before = page.at(-1)?.at ?? null;
  } while (before !== null);
  return seen;
}

function listPage(id: string, range: UsageRange, before: UsagePlace | null) {
  return readSnapshot(database, (transaction) =>
    listUsage(transaction, toAccountId(id), range, { before, limit: 40 }),
  );
}

/** By key, over all steps. */
function totalsOf(totals: readonly { key: string; credits: bigint; events: bigint }[]) {
  const sums = new Map<string, { credits: bigint; events: bigint }>();
  for (const { key, credits, events } of totals) {
    const before = sums.get(key) ?? { credits: 0n, events: 0n };
    sums.set(key, { credits: before.credits + credits, events: before.events + events });
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1));
}

test("add-ons are summed by the instants at which their charges fell due", async () => {
  const offered = await openBooks();
  onTestFinished(() => offered.close());
  await openCatalogue(offered);
  const at = Date.parse("2026-03-10T12:00:00Z");
  await openSubscriber(offered, "adds", { at, voices: 3, timeZone: "Asia/Kolkata" });
  const turned = Date.parse("2026-03-31T18:30:00Z");
  const clock = turned + HOUR;
  await settleAccounts(offered.database, { clock, completeUntil: clock, limit: 1 }, null);
  const sum = (from: number, to: number) =>
    readSnapshot(offered.database, (transaction) => {
      const range = { from, to, step: "month", timeZone: "Asia/Kolkata" } as const;
      return sumAddOns(transaction, toAccountId("adds"), range);
    });
  const month = { key: "voice", credits: 60_000_000n, events: 1n, quantity: 3n };
  const march = { at: Date.parse("2026-02-28T18:30:00Z"), ...month };
  expect(await sum(at, turned + 1)).toEqual([march, { at: turned, ...month }]);
  expect(await sum(at, turned)).toEqual([march]);
  expect(await sum(at + 1, turned)).toEqual([]);
});

describe("an account with much usage", () => {
  const id = "much";
  const accountId = toAccountId(id);
  const began = Date.parse("2026-03-01T00:00:00Z");
  const per = HOUR / 50;

  beforeAll(async () => {
    await openAccount(books, id, { at: began - DAY, lots: [{ credits: 1_000n }] });
    const usage = usageBatches(books, id);
    const readRates = ratesReader();
    for (let day = 0; day < 10; day += 1) {
      for (let hour = 0; hour < 24; hour += 1) {
        const start = began + day * DAY + hour * HOUR;
        const batch = usage.next(
          Array.from({ length: 50 }, (_, i) => ({
            ...{ eventId: `m-${start}-${i}`, accountId: id, quantity: 3n },
            ...{ occurredAt: start + i * per, source: i % 2 === 0 ? "app" : "web" },
          })),
        );
        await debitUsage(books.database, readRates, { ...batch, now: start + HOUR });
      }
    }
    // As autovacuum does: the plans are those of a table in use.
    await books.database.query("ANALYZE usage_page, spend");
  });

  const readRecords = <T>(read: (transaction: Transaction) => Promise<T>) =>
    readSnapshot(database, async (transaction) => {
      const before = await recordsRead(transaction);
      const result = await read(transaction);
      return { result, records: (await recordsRead(transaction)) - before };
    });

  const hour = { from: began + 3 * DAY, to: began + 3 * DAY + HOUR };

  test("reads for an hour by source the records of about that hour", async () => {
    const range = { ...hour, step: null, timeZone: "UTC", limit: ALL };
    const { result, records } = await readRecords((transaction) =>
      sumUsage(transaction, accountId, { ...range, group: "source" }),
    );
    expect(result.map(({ key, events }) => [key, events])).toEqual([
      ["app", 25n],
      ["web", 25n],
    ]);
    expect(records).toBeLessThanOrEqual(150);
  });

  test("reads for a week by meter the records of its edges", async () => {
    const range = { from: hour.from + 10, to: hour.to + 5 * DAY + 10 * MINUTE, step: null };
    const { result, records } = await readRecords((transaction) =>
      sumUsage(transaction, accountId, { ...range, timeZone: "UTC", group: "meter", limit: ALL }),
    );
    expect(result.map(({ events }) => events)).toEqual([BigInt(49 + 120 * 50 + 9)]);
    expect(records).toBeLessThanOrEqual(300);
  });

  test("reads for whole hours by meter no record at all", async () => {
    const range = { ...hour, step: "hour", timeZone: "UTC", limit: ALL } as const;
    const { records } = await readRecords((transaction) =>
      sumUsage(transaction, accountId, { ...range, group: "meter" }),
    );
    expect(records).toBe(0);
  });

  test.each([
    { what: "all of it", from: began, to: began + 11 * DAY },
    { what: "an hour long ago", ...hour },
  ])("reads for the first page of $what about a page", async ({ from, to }) => {
    const { result, records } = await readRecords((transaction) =>
      listUsage(transaction, accountId, { from, to, meter: null }, { before: null, limit: 50 }),
    );
    expect(result).toHaveLength(50);
    expect(records).toBeLessThanOrEqual(150);
  });
});

async function recordsRead(transaction: Transaction): Promise<number> {
  const row = await queryRow<{ read: bigint }>(
    transaction,
    `SELECT sum(idx_tup_fetch)::bigint AS read FROM pg_stat_xact_user_tables WHERE relname LIKE 'usage_page%'`,
  );
  return Number(row?.read ?? 0n);
}

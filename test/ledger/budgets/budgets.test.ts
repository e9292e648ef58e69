/**
 * What budgets limit is counted with the usage, in the window in which it occurred: whatever the batches, however late
 * or often events come, and proved from the records.
 */
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { MOST_COUNTED, readCounted } from "../../../shared/core/budgets/counted.ts";
import type { BudgetWindow } from "../../../shared/core/budgets/window.ts";
import { decideSettings } from "../../../shared/core/changes/change-settings.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { readAccounts } from "../../../shared/ledger/books/read-accounts.ts";
import { listBudgets } from "../../../shared/ledger/budgets/list-budgets.ts";
import { deleteBudget } from "../../../shared/ledger/budgets/set-budget.ts";
import { ratesReader } from "../../../shared/ledger/catalogue/rates.ts";
import { changeSubscription } from "../../../shared/ledger/credits/change-subscription.ts";
import { deleteOldRows } from "../../../shared/ledger/housekeeping/delete-old-rows.ts";
import {
  MOST_PUBLISHED,
  readPublishedBudgets,
} from "../../../shared/ledger/outbox/published-budgets.ts";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { debitUsage } from "../../../shared/ledger/usage/debit-usage.ts";
import { type Books, openAccount, openBooks, setPrice } from "../../support/books/books.ts";
import { setBudgetOf } from "../../support/books/budgets.ts";
import { askedHold, changeHold } from "../../support/books/holds.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { dropMonths, noon } from "../../support/books/old-usage.ts";
import { type Usage, usageBatches } from "../../support/books/usage-batches.ts";
import { naiveSpend, type SpentEvent } from "./naive-budgets.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const PRICE = 7n;

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "call", PRICE);
  await setPrice(books, "page", 2n);
});

afterEach(async () => {
  expect(await brokenInvariants(books.database)).toEqual([]);
});

afterAll(() => books?.close());

interface Limit {
  readonly dimension?: string;
  readonly window?: BudgetWindow;
  readonly value?: string;
  readonly credits?: bigint;
}

const placeOf = ({ dimension = "team", window = "day", value = "" }: Limit) => {
  return { dimension, window, value };
};

const set = (id: string, at: number, { dimension = "team", ...limit }: Limit = {}) =>
  setBudgetOf(books, id, dimension, { at, ...limit });

function remove(id: string, now: number, limit: Limit = {}) {
  const at = { accountId: toAccountId(id), now, by: "test" };
  return deleteBudget(books.database, at, placeOf(limit));
}

/** Meters events of an account by the clock of `now`; each is 1 call of team a now, or what is stated. */
function user(accountId: string, partition = accountId) {
  const batches = usageBatches(books, partition);
  const readRates = ratesReader();
  let last = 0;
  return async (now: number, ...events: readonly Partial<Usage>[]) => {
    const usages = events.map((event) => {
      const usual = { eventId: `${partition}/${++last}`, quantity: 1n, occurredAt: now };
      return { ...usual, dimensions: { team: "a" }, ...event, accountId };
    });
    return debitUsage(books.database, readRates, { ...batches.next(usages), now });
  };
}

async function accountOf(id: string) {
  const account = (await readAccounts(books.database, [id])).get(id);
  if (account === undefined) throw new Error(`there is no account ${id}`);
  return account;
}

async function listed(id: string, now: number, count = 100) {
  const account = await accountOf(id);
  const list = await inTransaction(books.database, (transaction) =>
    listBudgets(transaction, account, now, count),
  );
  return list.map(({ dimension, window, value, credits, spent }) => {
    return `${dimension} ${value === "" ? "*" : value} ${spent}/${credits} a ${window}`;
  });
}

const COUNTED = `
  SELECT dimension || ' ' || window_name || ' '
         || CASE WHEN window_name = 'all' THEN '1970-01-01' ELSE (starts_at AT TIME ZONE time_zone)::date::text END
         || ' ' || value AS key, sum(part.spent)::bigint AS spent
  FROM budget_spent AS part JOIN account USING (account_id)
  WHERE account_id = $1
  GROUP BY 1`;

async function countedOf(id: string): Promise<Record<string, bigint>> {
  const { rows } = await books.database.query<{ key: string; spent: bigint }>(COUNTED, [id]);
  return Object.fromEntries(rows.map(({ key, spent }) => [key, spent]));
}

async function rowsOf(table: string, id: string): Promise<number> {
  const { rowCount } = await books.database.query(`SELECT FROM ${table} WHERE account_id = $1`, [
    id,
  ]);
  return rowCount ?? 0;
}

/** Germany's clocks went forward that night, and Newfoundland's were an hour and a half behind UTC's quarters. */
const SUNDAY = Date.parse("2026-03-29T10:00:00Z");
const LIMITS: readonly Limit[] = [
  { dimension: "team", window: "day" },
  { dimension: "team", window: "week", value: "a" },
  { dimension: "user", window: "month" },
  { dimension: "user", window: "all" },
];

const event = fc.record({
  hours: fc.oneof(fc.integer({ min: -30, max: 30 }), fc.integer({ min: -900, max: 24 })),
  minutes: fc.integer({ min: 0, max: 59 }),
  calls: fc.bigInt({ min: 0n, max: 9n }),
  pages: fc.option(fc.bigInt({ min: 1n, max: 9n }), { nil: null }),
  team: fc.constantFrom("a", "b", "", null),
  user: fc.constantFrom("u1", "u2", "ü 3", "null", 'a "b" \\', "{,}", "u7", null),
  again: fc.boolean(),
});

const history = fc.record({
  events: fc.array(event, { minLength: 1, maxLength: 24 }),
  /** How many are metered before the budgets are set. */
  before: fc.nat(24),
  batch: fc.integer({ min: 1, max: 24 }),
  zone: fc.constantFrom("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"),
});

test("what is counted is what a model counts, however batches were split, late or repeated", async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(history, async ({ events, before, batch, zone }) => {
      const id = `model-${++run}`;
      await openAccount(books, id, { lots: [{ credits: 300n }], timeZone: zone, at: SUNDAY - DAY });
      const use = user(id);
      const usages = events.map(({ hours, minutes, calls, pages, team, user: who }, at) => ({
        eventId: `e${at}`,
        quantity: calls,
        occurredAt: SUNDAY + hours * HOUR + minutes * 60_000,
        dimensions: { ...(team === null ? {} : { team }), ...(who === null ? {} : { user: who }) },
        quantities: pages === null ? {} : { page: pages },
      }));
      const spent = usages.map(
        ({ quantity, quantities, occurredAt: at, dimensions }): SpentEvent => {
          const credits = quantity * PRICE + 2n * (quantities.page ?? 0n);
          return { at, credits, dimensions: dimensions as SpentEvent["dimensions"] };
        },
      );
      const early = usages.slice(0, before);
      if (early.length > 0) await use(SUNDAY, ...early);
      for (const limit of LIMITS) await set(id, SUNDAY, limit);
      const repeated = usages.filter((_, at) => events[at]?.again);
      const rest = [...usages.slice(before), ...repeated];
      for (let at = 0; at < rest.length; at += batch) {
        await use(SUNDAY, ...rest.slice(at, at + batch));
      }
      const counted = readCounted((await accountOf(id)).budgets);
      expect(await countedOf(id)).toEqual(naiveSpend(spent, counted, zone));
    }),
    { numRuns: 40 },
  );
});

describe("a budget", () => {
  test("that is set counts what was spent so far in its window, and no other window", async () => {
    await openAccount(books, "midway", { at: SUNDAY - DAY });
    const use = user("midway");
    await use(SUNDAY, {}, { occurredAt: SUNDAY - DAY }, { dimensions: { team: "b" } });
    await set("midway", SUNDAY);
    expect(await listed("midway", SUNDAY)).toEqual([
      "team a 7/100 a day",
      "team b 7/100 a day",
      "team * 0/100 a day",
    ]);
    await use(SUNDAY, { occurredAt: SUNDAY - DAY }, {});
    expect(await countedOf("midway")).toEqual({
      "team day 2026-03-29 a": 14n,
      "team day 2026-03-29 b": 7n,
    });
    expect(await listed("midway", SUNDAY + DAY)).toEqual(["team * 0/100 a day"]);
  });

  test("of a value wins over that of every value, and is listed by how full it is", async () => {
    await openAccount(books, "ranked", { at: SUNDAY - DAY });
    await set("ranked", SUNDAY, { credits: 10n });
    await set("ranked", SUNDAY, { value: "rich", credits: 1_000n });
    await set("ranked", SUNDAY, { value: "stopped", credits: 0n });
    await set("ranked", SUNDAY, { dimension: "user", window: "all", value: "u", credits: 20n });
    const of = (team: string, more = {}) => ({ dimensions: { team, ...more } });
    await user("ranked")(SUNDAY, of("rich"), of("poor", { user: "u" }), of("poor"));
    const all = [
      "team stopped 0/0 a day",
      "team poor 14/10 a day",
      "user u 7/20 a all",
      "team rich 7/1000 a day",
      "team * 0/10 a day",
    ];
    expect(await listed("ranked", SUNDAY)).toEqual(all);
    expect(await listed("ranked", SUNDAY, 2)).toEqual(all.slice(0, 2));
    expect(await remove("ranked", SUNDAY, { value: "rich" })).toEqual({ kind: "deleted" });
    expect(await listed("ranked", SUNDAY)).toContain("team rich 7/10 a day");
  });

  test("set again is replaced, also below what is spent already", async () => {
    await openAccount(books, "lowered", { at: SUNDAY - DAY });
    expect(await set("lowered", SUNDAY)).toMatchObject({ kind: "set", isNew: true });
    await user("lowered")(SUNDAY, {});
    expect(await set("lowered", SUNDAY, { credits: 1n })).toMatchObject({ isNew: false });
    expect(await listed("lowered", SUNDAY)).toEqual(["team a 7/1 a day", "team * 0/1 a day"]);
  });

  test("that was the last one of its dimension and window ends the counting", async () => {
    await openAccount(books, "ended", { at: SUNDAY - DAY });
    const use = user("ended");
    await set("ended", SUNDAY);
    await set("ended", SUNDAY, { value: "a" });
    await use(SUNDAY, {});
    await remove("ended", SUNDAY);
    expect(await countedOf("ended")).toEqual({ "team day 2026-03-29 a": 7n });
    await remove("ended", SUNDAY, { value: "a" });
    expect([(await accountOf("ended")).budgets, await countedOf("ended")]).toEqual([null, {}]);
    expect(await remove("ended", SUNDAY)).toMatchObject({ kind: "unknown_budget" });
    await use(SUNDAY, {});
    await set("ended", SUNDAY);
    expect(await countedOf("ended")).toEqual({ "team day 2026-03-29 a": 14n });
  });

  test("is not of values that are too long, and metering goes on", async () => {
    await openAccount(books, "lengthy", { at: SUNDAY - DAY });
    // Nothing that can be compressed.
    const text = (length: number) =>
      Array.from({ length }, (_, at) => String.fromCodePoint(0x20000 + ((at * 7919) % 40_000)));
    const of = (length: number) => ({ dimensions: { team: text(length).join("") } });
    const use = user("lengthy");
    await use(SUNDAY, of(512));
    await set("lengthy", SUNDAY);
    await use(SUNDAY, of(256), of(257), of(512));
    expect(Object.values(await countedOf("lengthy"))).toEqual([7n]);
  });

  test("is set for so many dimensions and windows, and no account that is unknown", async () => {
    await openAccount(books, "many", { at: SUNDAY - DAY });
    for (let at = 0; at < MOST_COUNTED; at += 1) await set("many", SUNDAY, { dimension: `d${at}` });
    expect(await set("many", SUNDAY)).toEqual({
      kind: "too_many_budget_dimensions",
      most: MOST_COUNTED,
    });
    expect((await set("many", SUNDAY, { dimension: "d0", value: "a" })).kind).toBe("set");
    expect((await set("nobody", SUNDAY)).kind).toBe("unknown_account");
    expect((await remove("nobody", SUNDAY)).kind).toBe("unknown_account");
  });
});

test("what was noted of many values goes into sums, and counts all the while", async () => {
  await openAccount(books, "noted", { at: SUNDAY - DAY });
  const use = user("noted");
  await set("noted", SUNDAY);
  const notes = () => rowsOf("budget_added", "noted");
  await use(SUNDAY, { dimensions: { team: "team 11" } });
  const expected: Record<string, bigint> = { "team day 2026-03-29 team 11": PRICE };
  // 11 times 90 values are noted; the twelfth makes more than 1,000.
  for (let batch = 0; batch < 12; batch += 1) {
    expect([await notes(), await rowsOf("budget_spend", "noted")]).toEqual([batch, 1]);
    const teams = Array.from({ length: 90 }, (_, at) => `team ${batch + at}`);
    for (const team of teams) {
      const key = `team day 2026-03-29 ${team}`;
      expected[key] = (expected[key] ?? 0n) + PRICE;
    }
    await use(SUNDAY, ...teams.map((team) => ({ dimensions: { team } })));
    expect(await countedOf("noted")).toEqual(expected);
  }
  expect([await notes(), await rowsOf("budget_spend", "noted")]).toEqual([0, 101]);
  await use(SUNDAY, ...["a", "b", "c", "team 11"].map((team) => ({ dimensions: { team } })));
  expect(await notes()).toBe(1);
  expect(await listed("noted", SUNDAY, 1)).toEqual(["team team 11 98/100 a day"]);
  await use(SUNDAY, { dimensions: { team: "team 11" } });
  const again = await set("noted", SUNDAY, { value: "team 11", credits: 1_000n });
  expect(again).toMatchObject({ budget: { spent: 105n } });
});

test("a batch that has read its account before a budget was set runs again and counts", async () => {
  await openAccount(books, "raced", { at: SUNDAY - DAY });
  const rounds = Array.from({ length: 20 }, (_, at) => user("raced", `raced-${at}`)(SUNDAY, {}));
  await Promise.all([set("raced", SUNDAY), ...rounds]);
  expect(await countedOf("raced")).toEqual({ "team day 2026-03-29 a": 140n });
});

test("in another time zone, the windows are those of its calendar", async () => {
  await openAccount(books, "moved", { at: SUNDAY - DAY });
  const use = user("moved");
  await set("moved", SUNDAY);
  await set("moved", SUNDAY, { window: "all" });
  await use(SUNDAY, { occurredAt: Date.parse("2026-03-28T20:00:00Z") }, { occurredAt: SUNDAY });
  // In Tokyo it is Sunday evening, and was Sunday then.
  const change = { accountId: toAccountId("moved"), now: SUNDAY, by: "test" };
  await changeSubscription(books.database, change, (context) =>
    decideSettings({ timeZone: "Asia/Tokyo" }, context),
  );
  expect(await countedOf("moved")).toEqual({
    "team day 2026-03-29 a": 14n,
    "team all 1970-01-01 a": 14n,
  });
  await use(SUNDAY, { occurredAt: Date.parse("2026-03-29T14:59:59Z") });
  await use(SUNDAY, { occurredAt: Date.parse("2026-03-29T15:00:00Z") });
  expect(await countedOf("moved")).toEqual({
    "team day 2026-03-29 a": 21n,
    "team day 2026-03-30 a": 7n,
    "team all 1970-01-01 a": 28n,
  });
});

describe("what is past retention", () => {
  test("stays counted where its window is", async () => {
    const separate = await openBooks();
    try {
      await setPrice(separate, "call", PRICE);
      await openAccount(separate, "acme", { at: noon("2025-07-01") });
      const batches = usageBatches(separate, "past-acme");
      const at = (day: string, ...events: readonly Partial<Usage>[]) =>
        debitUsage(separate.database, ratesReader(), {
          ...batches.next(
            events.map((event, place) => ({
              ...{ eventId: `${day}/${place}`, quantity: 1n, occurredAt: noon(day) },
              ...{ dimensions: { team: "a" }, ...event, accountId: "acme" },
            })),
          ),
          now: noon(day),
        });
      await at("2025-08-01", {}, {});
      for (const window of ["all", "month", "day"] as const) {
        await setBudgetOf(separate, "acme", "team", {
          window,
          credits: 5n,
          at: noon("2025-08-02"),
        });
      }
      await at("2025-08-03", {}, { dimensions: {} });
      await at("2025-09-03", {}, { occurredAt: noon("2025-08-30") });
      expect((await dropMonths(separate.database, noon("2025-10-02"))).months).toHaveLength(2);
      expect(await brokenInvariants(separate.database)).toEqual([]);
      const kind = { dimensions: { team: "a", kind: "chat" } };
      await at("2025-10-03", { occurredAt: noon("2025-08-30"), ...kind }, kind);
      expect(await brokenInvariants(separate.database)).toEqual([]);
      // Not all usage of the window is kept, so this one counts from the hour on in which it is set.
      const late = { window: "all", credits: 1_000n, at: noon("2025-10-03") + HOUR / 2 } as const;
      await setBudgetOf(separate, "acme", "kind", late);
      expect(await brokenInvariants(separate.database)).toEqual([]);
      const state = { now: noon("2025-10-03"), firstOffsets: new Map() };
      const old = await deleteOldRows(separate.database, "budget_spend", noon("2025-09-01"), state);
      expect(old).toEqual({ deleted: 3, left: "nothing" });
      // Its window is not kept any more: it counts for all time alone.
      await at("2025-10-04", { occurredAt: noon("2025-08-30") });
      expect(await brokenInvariants(separate.database)).toEqual([]);
      const account = (await readAccounts(separate.database, ["acme"])).get("acme");
      if (account === undefined) throw new Error("there is no account acme");
      const list = await inTransaction(separate.database, (transaction) =>
        listBudgets(transaction, account, noon("2025-10-05"), 3),
      );
      expect(list).toMatchObject([
        { window: "all", value: "a", spent: 56n },
        { window: "month", value: "a", spent: 7n },
        { dimension: "kind", value: "chat", spent: 7n, countedSince: noon("2025-10-03") },
      ]);
      // What never turns is the same in another zone, where not all of it could be counted again.
      const moved = { accountId: account.accountId, now: noon("2025-10-05"), by: "test" };
      await changeSubscription(separate.database, moved, (context) =>
        decideSettings({ timeZone: "Asia/Tokyo" }, context),
      );
      const after = await inTransaction(separate.database, (transaction) =>
        listBudgets(transaction, account, noon("2025-10-05"), 1),
      );
      expect(after).toMatchObject([{ window: "all", value: "a", spent: 56n }]);
      expect(await brokenInvariants(separate.database)).toEqual([]);
      await separate.database.query("DELETE FROM budget_unlisted WHERE window_name = 'all'");
      expect(await brokenInvariants(separate.database)).toHaveLength(1);
    } finally {
      await separate.close();
    }
  });
});

test.each([
  [
    "UPDATE budget_spend SET spent = spent + 1",
    "what a budget has spent is the usage that it counts",
  ],
  [
    "UPDATE budget_spend SET starts_at = starts_at + interval '11 hours'",
    "what a budget has spent is the usage that it counts",
  ],
  ["DELETE FROM budget_spend", "what a budget has spent is the usage that it counts"],
  ["DELETE FROM budget", "what is counted for budgets is what has budgets"],
])("books that are wrong are found: %s", async (change, broken) => {
  if (!(await readAccounts(books.database, ["wronged"])).has("wronged")) {
    await openAccount(books, "wronged", { at: SUNDAY - DAY });
    await set("wronged", SUNDAY);
    await user("wronged")(SUNDAY, {});
  }
  for (const table of ["budget", "budget_spend"]) {
    await books.database.query(`CREATE TABLE kept_${table} AS SELECT * FROM ${table}`);
  }
  await books.database.query(`${change} WHERE account_id = 'wronged'`);
  const found = await brokenInvariants(books.database);
  for (const table of ["budget", "budget_spend"]) {
    await books.database.query(`DELETE FROM ${table}`);
    await books.database.query(`INSERT INTO ${table} SELECT * FROM kept_${table}`);
    await books.database.query(`DROP TABLE kept_${table}`);
  }
  expect(found).toEqual([`${broken}: wronged`]);
});

test("what is published of them is what values have left, in the window of now and the next one", async () => {
  const id = "published";
  await openAccount(books, id, { lots: [{ credits: 1_000n }], at: SUNDAY - DAY });
  await set(id, SUNDAY, { credits: 50n });
  await set(id, SUNDAY, { value: "b", credits: 40n });
  await set(id, SUNDAY, { dimension: "user", window: "all", value: "u", credits: 9n });
  const use = user(id);
  const other = { dimensions: { team: "c", user: "v" } };
  await use(SUNDAY, {}, { occurredAt: SUNDAY + 14 * HOUR }, { quantity: 2n }, other);
  const more = ["d", "e", "f", "g"];
  await use(SUNDAY, ...more.map((team) => ({ dimensions: { team } })));
  await changeHold(books, askedHold(id, "run", 5n, { dimensions: { team: "b" } }), SUNDAY);
  const published = await inTransaction(books.database, async (transaction) =>
    readPublishedBudgets(transaction, [await accountOf(id)], SUNDAY, new Map()),
  );
  const [turn, spentAhead] = [SUNDAY + 14 * HOUR, 0n];
  const sorted = published.get(toAccountId(id))?.map(({ values, ...rest }) => {
    return { ...rest, values: values?.toSorted((a, b) => (a.value < b.value ? -1 : 1)) };
  });
  expect(sorted).toMatchObject([
    {
      ...{ dimension: "team", window: "day", endsAt: turn, nextEndsAt: turn + DAY, credits: 50n },
      values: [
        { value: "a", credits: 50n, spent: 3n * PRICE, spentAhead: PRICE, held: 0n },
        { value: "b", credits: 40n, spent: 0n, spentAhead, held: 5n },
        ...["c", ...more].map((value) => {
          return { value, credits: 50n, spent: PRICE, spentAhead, held: 0n };
        }),
      ],
    },
    {
      ...{ dimension: "user", window: "all", endsAt: null, nextEndsAt: null, credits: null },
      values: [{ value: "u", credits: 9n, spent: 0n, spentAhead, held: 0n }],
    },
  ]);
});

test("of more than 50 values nothing is published, until they are counted again a minute later", async () => {
  const id = "published-many";
  await openAccount(books, id, { at: SUNDAY - DAY });
  const by = { accountId: toAccountId(id), now: SUNDAY, by: "test" };
  const values = Array.from({ length: MOST_PUBLISHED + 1 }, (_, at) => `v${at}`);
  for (const value of values) await set(id, SUNDAY, { value });
  const tooMany = new Map();
  const publishedAt = async (now: number) => {
    const published = await inTransaction(books.database, async (transaction) =>
      readPublishedBudgets(transaction, [await accountOf(id)], now, tooMany),
    );
    return published.get(toAccountId(id))?.map(({ values }) => values?.length ?? null);
  };
  expect(await publishedAt(SUNDAY)).toEqual([null]);
  await deleteBudget(books.database, by, { dimension: "team", window: "day", value: "v0" });
  expect(await publishedAt(SUNDAY + 59_999)).toEqual([null]);
  expect(await publishedAt(SUNDAY + 60_000)).toEqual([MOST_PUBLISHED]);
  expect(tooMany.size).toBe(0);
});

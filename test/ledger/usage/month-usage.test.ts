/**
 * Tiers and packages of a month in the books: what was used is counted with the usage, in its month, whatever the
 * batches; proved from the records, also once some of them are past retention; and explained event by event.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { explainedRateOf } from "../../../shared/core/offer/explained-rate.ts";
import { tieredPrice } from "../../../shared/core/offer/month-price.ts";
import { cardOf } from "../../../shared/core/offer/rates.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { insertOwnTerms } from "../../../shared/ledger/catalogue/own-terms.ts";
import { listRates, readRates } from "../../../shared/ledger/catalogue/rates.ts";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { estimateUsage } from "../../../shared/ledger/usage/estimate-usage.ts";
import { findMeteredEvent } from "../../../shared/ledger/usage/explain.ts";
import { withCounted } from "../../../shared/ledger/usage/explain-counted.ts";
import { type Books, openAccount, openBooks, setRates } from "../../support/books/books.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { dropMonths, noon, oldUsage } from "../../support/books/old-usage.ts";
import { discountOf, ownRates } from "../../support/core/own-terms.ts";

/** The first 10 at 3, the next 20 at 1 for 2, the rest free. */
const TIERS = tieredPrice([
  { upTo: 10n, credits: 3n, per: 1n },
  { upTo: 30n, credits: 1n, per: 2n },
  { upTo: null, credits: 0n, per: 1n },
]);
const OWN_TIERS = tieredPrice([
  { upTo: 5n, credits: 2n, per: 3n },
  { upTo: null, credits: 1n, per: 7n },
]);
const RATES = [
  { meter: "pages", validFrom: 0, ...TIERS },
  { meter: "pages", validFrom: noon("2025-10-15"), ...TIERS },
  { meter: "texts", validFrom: 0, credits: 7n, per: 10n, roundUp: "each_month" } as const,
];

let books: Books;
let acme: ReturnType<typeof oldUsage>;

beforeAll(async () => {
  books = await openBooks();
  await setRates(books, RATES);
  acme = oldUsage(books, "acme");
  for (const account of ["acme", "bolt", "cord", "late"]) {
    await openAccount(books, account, { at: noon("2025-07-01"), lots: [{ credits: 1_000_000n }] });
  }
  const terms = [
    discountOf("bolt", null, noon("2025-09-20"), 2_500),
    ownRates("cord", "pages", noon("2025-08-01"), OWN_TIERS),
    // What it does not match counts under the list.
    ownRates("cord", "texts", noon("2025-08-01"), {
      dimensions: ["kind"],
      rates: [{ patterns: ["short"], credits: 1n, per: 3n }],
    }),
  ];
  for (const one of terms) {
    await inTransaction(books.database, (transaction) =>
      insertOwnTerms(transaction, one, noon("2025-07-01")),
    );
  }
});

afterAll(() => books?.close());

const pages = (quantity: bigint, more = {}) => ({ meter: "pages", quantity, ...more });
const texts = (quantity: bigint, kind = "long") => {
  return { meter: "texts", quantity, dimensions: { kind } };
};

test("rates are read as they were written", async () => {
  const read = await listRates(books.database);
  expect(read).toMatchObject(RATES);
});

test("each event pays what it adds to its month, in whatever batch and however late", async () => {
  await acme.use("2025-09-10", pages(4n), pages(8n), texts(1n));
  await acme.use("2025-09-11", pages(1n), texts(9n), texts(1n));
  expect(await paid("acme")).toEqual([12n, 19n, 7n, 0n, 0n, 7n]);
  // October begins from 0; an event of September counts where September is.
  await acme.use("2025-10-01", pages(2n), pages(17n, { occurredAt: noon("2025-09-30") }));
  await acme.use("2025-10-02", pages(5n, { occurredAt: noon("2025-09-30") }));
  expect((await paid("acme")).slice(6)).toEqual([6n, 9n, 0n]);
  // Another version counts anew.
  await acme.use("2025-10-16", pages(10n));
  expect((await paid("acme")).at(-1)).toBe(30n);
  expect(await brokenInvariants(books.database)).toEqual([]);
});

test("a discount is on the month, and own rates count by themselves, beside what they leave to the list", async () => {
  const [bolt, cord] = [oldUsage(books, "bolt"), oldUsage(books, "cord")];
  await bolt.use("2025-09-19", pages(10n));
  await bolt.use("2025-09-21", pages(9n), pages(1n), pages(3n), texts(11n));
  expect(await paid("bolt")).toEqual([30n, 20n, 2n, 1n, 10n]);
  await cord.use("2025-09-21", pages(5n), pages(14n), texts(4n, "short"), texts(4n), texts(7n));
  expect(await paid("cord")).toEqual([3n, 2n, 1n, 7n, 7n]);
  expect(await brokenInvariants(books.database)).toEqual([]);
});

test("an estimate counts from where the account is", async () => {
  const accountId = toAccountId("acme");
  const usage = { meter: "pages", occurredAt: noon("2025-10-20"), dimensions: {} };
  const { lines } = await inTransaction(books.database, async (transaction) => {
    const card = cardOf(await readRates(transaction), accountId);
    return estimateUsage(transaction, card, accountId, [
      { ...usage, quantity: 4n },
      { ...usage, quantity: 17n },
    ]);
  });
  expect(lines).toMatchObject([
    { cost: { least: 2n, most: 2n } },
    { cost: { least: 8n, most: 8n } },
  ]);
});

test("an event is explained with the units that it was of its month", async () => {
  expect(await counted("acme", "2025-09-10/2")).toEqual({ from: 4n, to: 12n });
  expect(await counted("acme", "2025-09-11/6")).toEqual({ from: 10n, to: 11n });
  expect(await counted("acme", "2025-10-01/8")).toEqual({ from: 13n, to: 30n });
  expect(await counted("acme", "2025-10-16/10")).toEqual({ from: 0n, to: 10n });
  expect(await counted("cord", "2025-09-21/2")).toEqual({ from: 5n, to: 19n });
});

test.each([
  ["quantity = quantity + 1", "meter = 'pages'"],
  ["quantity = quantity + 1", "meter = 'texts'"],
  ["month = month + interval '1 month'", "month = '2025-10-01Z'"],
])("a count that is wrong is found: %s", async (change, where) => {
  const of = `account_id = 'acme' AND ${where}`;
  const keep = "CREATE TABLE kept AS SELECT * FROM month_usage";
  await books.database.query(keep);
  await books.database.query(`UPDATE month_usage SET ${change} WHERE ${of}`);
  const broken = await brokenInvariants(books.database);
  await books.database.query("DELETE FROM month_usage");
  await books.database.query("INSERT INTO month_usage SELECT * FROM kept");
  await books.database.query("DROP TABLE kept");
  expect(broken).toEqual([
    "what is counted of a month is its usage, which costs what the tiers or packages say: acme",
  ]);
  expect(await brokenInvariants(books.database)).toEqual([]);
});

test("what is past retention stays counted", async () => {
  await dropMonths(books.database, noon("2025-10-02"));
  expect(await brokenInvariants(books.database)).toEqual([]);
  expect(await counted("acme", "2025-10-01/8")).toEqual({ from: 13n, to: 30n });
  await acme.use("2025-10-17", pages(1n, { occurredAt: noon("2025-09-30") }), pages(1n));
  expect((await paid("acme")).slice(-2)).toEqual([0n, 0n]);
  expect(await brokenInvariants(books.database)).toEqual([]);
  await books.database.query("UPDATE month_usage SET past_credits = past_credits + 1");
  expect(await brokenInvariants(books.database)).not.toEqual([]);
});

/** What each event cost, in the order in which they drew. */
async function paid(account: string): Promise<bigint[]> {
  const { rows } = await books.database.query(
    `SELECT credits FROM usage_record WHERE account_id = $1 ORDER BY page_start, page_version, place`,
    [account],
  );
  return rows.map(({ credits }) => BigInt(credits));
}

async function counted(account: string, eventId: string) {
  const accountId = toAccountId(account);
  return inTransaction(books.database, async (transaction) => {
    const event = await findMeteredEvent(transaction, { accountId, eventId, source: null });
    if ("kind" in event) throw new Error(event.kind);
    const card = cardOf(await readRates(transaction), accountId);
    const rates = event.lines.map((line) => explainedRateOf(card, { ...event, ...line }));
    const [one] = await withCounted(transaction, accountId, card, event, rates);
    const { from, to } = one?.counted ?? {};
    return { from, to };
  });
}

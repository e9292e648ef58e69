/**
 * SQL prices usage as the core does, whatever the rates: event by event, and summed up by the invariants and by
 * what is kept of dropped months. Rates are read as they were written.
 */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { termsOf } from "../../../shared/core/offer/catalogue-terms.ts";
import { exactPrice, isTable, rateAt, toRateCard } from "../../../shared/core/offer/rate-card.ts";
import { rateTable } from "../../../shared/core/offer/rate-table.ts";
import { listRates } from "../../../shared/ledger/catalogue/rates.ts";
import { type Books, openAccount, openBooks, setRates } from "../../support/books/books.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { dropMonths, noon, oldUsage } from "../../support/books/old-usage.ts";
import { someTable, someUsage } from "../../support/core/some-rates.ts";

const PRICES = `
  SELECT credits::text, exact_price(price, 2, 2 * quantity::numeric, quantity)::text AS two
  FROM jsonb_to_recordset($1) AS event (meter text, dimensions jsonb, quantity bigint)
  CROSS JOIN LATERAL rate_price(meter, to_timestamp(0), dimensions, quantity) AS price`;

let books: Books;

beforeAll(async () => {
  books = await openBooks();
});

afterAll(() => books?.close());

test("an event's price in SQL is the core's", async () => {
  let meters = 0;
  const some = fc.array(someUsage, { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(someTable, some, async (terms, usage) => {
      const meter = `m${++meters}`;
      const table = rateTable({ meter, validFrom: 0 }, terms);
      await setRates(books, [table]);
      const card = toRateCard([table]);
      const events = usage.map((event) => ({ ...event, meter, occurredAt: 0 }));
      const { rows } = await books.database.query(PRICES, [
        JSON.stringify(events, (_, value) => (typeof value === "bigint" ? String(value) : value)),
      ]);
      expect(rows).toEqual(
        events.map((event) => {
          const rate = rateAt(card, event);
          if (typeof rate === "string") return { credits: null, two: null };
          const two = 2n * exactPrice(rate, event.quantity);
          return { credits: String(rate.credits), two: String(two) };
        }),
      );
      const read = (await listRates(books.database)).find((version) => version.meter === meter);
      expect(read !== undefined && isTable(read) && termsOf(read)).toEqual(terms);
    }),
    { numRuns: 150 },
  );
}, 60_000);

test("usage of random rates is proved, before and after its month is dropped", async () => {
  const tables = fc.sample(someTable, 25).map((terms, at) => {
    return rateTable({ meter: `used-${at}`, validFrom: 0 }, terms);
  });
  await setRates(books, tables);
  const card = toRateCard(tables);
  await openAccount(books, "acme", { at: noon("2025-07-01"), lots: [{ credits: 1n }] });
  const acme = oldUsage(books, "acme");
  const events = tables.flatMap(({ meter }) =>
    fc.sample(someUsage, 40).map(({ quantity, dimensions }) => {
      return { meter, dimensions, quantity: quantity % 1_000n };
    }),
  );
  const priced = events.filter((event) => {
    return typeof rateAt(card, { ...event, occurredAt: noon("2025-09-10") }) !== "string";
  });
  await acme.use("2025-09-10", ...priced);
  await acme.use("2025-10-10", ...priced);
  expect(await brokenInvariants(books.database)).toEqual([]);
  await dropMonths(books.database, noon("2025-10-02"));
  expect(await brokenInvariants(books.database)).toEqual([]);
}, 60_000);

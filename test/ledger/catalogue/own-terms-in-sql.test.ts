/**
 * SQL prices usage of accounts with own terms as the core does: version by version, summed up by the invariants,
 * and in what is kept of dropped months. Terms are read as they were written.
 */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ownCard } from "../../../shared/core/offer/own-card.ts";
import type { OwnTerms } from "../../../shared/core/offer/own-terms.ts";
import {
  exactPrice,
  type MeterVersion,
  mayCarry,
  rateAt,
  toRateCard,
} from "../../../shared/core/offer/rate-card.ts";
import { rateTable } from "../../../shared/core/offer/rate-table.ts";
import { toRates } from "../../../shared/core/offer/rates.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { insertOwnTerms, listOwnTermsOf } from "../../../shared/ledger/catalogue/own-terms.ts";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { type Books, openAccount, openBooks, setRates } from "../../support/books/books.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { dropMonths, noon, oldUsage } from "../../support/books/old-usage.ts";
import { discountOf, ownRates } from "../../support/core/own-terms.ts";
import { someTable, someUsage } from "../../support/core/some-rates.ts";

const [EARLY, LATE] = [noon("2025-09-10"), noon("2025-09-20")];

const IN_PACKAGES = { roundUp: "each_event" } as const;

const PRICES = `
  SELECT (term.valid_from = to_timestamp(event.since / 1000.0)) AS begins, per::text, carries,
         price.credits::text AS credits, exact_price(price, 2, 2 * quantity::numeric, quantity)::text AS two
  FROM jsonb_to_recordset($1)
    AS event (account text, meter text, at float8, since float8, dimensions jsonb, quantity bigint,
              place integer)
  JOIN usage_terms() AS term
    ON term.account_id = account AND term.meter = event.meter
    AND to_timestamp(at / 1000) >= valid_from AND to_timestamp(at / 1000) < valid_to
  CROSS JOIN LATERAL price_of_usage(term.account_id, own_meter, own_from, term.meter, list_from,
                                    event.dimensions, quantity) AS price
  ORDER BY place`;

let books: Books;
let tables: MeterVersion[];
let terms: OwnTerms[];

beforeAll(async () => {
  books = await openBooks();
  tables = fc.sample(someTable, 12).flatMap((table, at) => {
    const meter = `used-${at}`;
    return [
      rateTable({ meter, validFrom: 0 }, table),
      {
        meter,
        validFrom: LATE - 5,
        credits: BigInt(at),
        per: 7n,
        ...(at % 2 === 0 && IN_PACKAGES),
      },
    ];
  });
  tables.push({ meter: "dearest", validFrom: 0, credits: 3n, per: 2n ** 63n - 1n });
  await setRates(books, tables);
  terms = [
    ...["bolt", "cord"].map((id, at) => discountOf(id, null, EARLY + at, 1_250 + 3 * at)),
    discountOf("cord", "used-1", EARLY - 9, 10_000),
    discountOf("cord", "used-2", LATE, 0),
    ...fc.sample(someTable, 8).map((table, at) => ownRates("cord", `used-${at + 3}`, EARLY, table)),
    ownRates("bolt", "used-3", LATE, { credits: 5n, per: 11n, ...IN_PACKAGES }),
    ownRates("bolt", "dearest", LATE, { credits: 5n, per: 11n }),
  ];
  for (const account of ["acme", "bolt", "cord"]) {
    await openAccount(books, account, { at: noon("2025-07-01"), lots: [{ credits: 1n }] });
  }
  for (const one of terms) {
    await inTransaction(books.database, (transaction) => insertOwnTerms(transaction, one, EARLY));
  }
});

afterAll(() => books?.close());

test("terms are read as they were written", async () => {
  const read = await listOwnTermsOf(books.database, toAccountId("cord"));
  const written = terms.filter(({ accountId }) => accountId === "cord");
  const inOrder = (all: readonly OwnTerms[]) =>
    [...all].sort((a, b) => (String(a.meter) < String(b.meter) ? -1 : 1));
  expect(inOrder(read)).toEqual(inOrder(written));
});

test("an event's version and price in SQL are the core's", async () => {
  const list = toRateCard(tables);
  for (const account of ["bolt", "cord"]) {
    const card = ownCard(
      list,
      terms.filter(({ accountId }) => accountId === account),
    );
    const events = tables.flatMap(({ meter }) =>
      fc.sample(someUsage, 25).map((usage, at) => {
        const occurredAt = [1, EARLY - 1, EARLY, LATE, LATE + 1][at % 5] ?? 0;
        return { ...usage, meter, occurredAt };
      }),
    );
    const expected = events.map((event) => {
      const version = card.get(event.meter)?.find(({ validFrom }) => validFrom <= event.occurredAt);
      if (version === undefined) throw new Error("the list has all meters");
      const rate = rateAt(card, event);
      if (typeof rate === "string") return { version, credits: null, two: null };
      const two = String(2n * exactPrice(rate, event.quantity));
      return { version, credits: String(rate.credits), two };
    });
    const asked = events.map(({ occurredAt: at, ...event }, place) => {
      return { ...event, account, at, place, since: expected[place]?.version.validFrom };
    });
    const { rows } = await books.database.query(PRICES, [
      JSON.stringify(asked, (_, value) => (typeof value === "bigint" ? String(value) : value)),
    ]);
    expect(rows.map(({ carries, ...row }) => row)).toEqual(
      expected.map(({ version, ...of }) => ({ begins: true, per: String(version.per), ...of })),
    );
    for (const [place, { version }] of expected.entries()) {
      if (mayCarry(version)) expect(rows[place].carries).toBe(true);
    }
  }
});

test("usage under own terms is proved, before and after its month is dropped", async () => {
  const rates = toRates(toRateCard(tables), terms);
  for (const account of ["acme", "bolt", "cord"]) {
    const card = rates.own.get(toAccountId(account)) ?? rates.list;
    const usage = oldUsage(books, account);
    for (const day of ["2025-09-10", "2025-09-20", "2025-10-10"]) {
      const events = tables.flatMap(({ meter }) =>
        fc.sample(someUsage, 20).map((event) => {
          return { ...event, meter, quantity: event.quantity % 1_000n };
        }),
      );
      const priced = events.filter((event) => {
        return typeof rateAt(card, { ...event, occurredAt: noon(day) }) !== "string";
      });
      await usage.use(day, ...priced);
    }
  }
  expect(await brokenInvariants(books.database)).toEqual([]);
  await dropMonths(books.database, noon("2025-10-02"));
  expect(await brokenInvariants(books.database)).toEqual([]);
  await books.database.query("UPDATE usage_past SET exact = exact + 1 WHERE account_id = 'bolt'");
  expect(await brokenInvariants(books.database)).not.toEqual([]);
}, 60_000);

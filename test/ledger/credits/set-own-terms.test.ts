/** Own terms change no price that was paid, and are read by a batch that is metered while they are set. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { rateTable } from "../../../shared/core/offer/rate-table.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { ratesReader } from "../../../shared/ledger/catalogue/rates.ts";
import { setOwnTerms } from "../../../shared/ledger/credits/set-own-terms.ts";
import { retryResolved } from "../../../shared/ledger/dead-letters/retry-resolved.ts";
import { debitUsage, type ReadRates } from "../../../shared/ledger/usage/debit-usage.ts";
import {
  type Books,
  openAccount,
  openBooks,
  setPrice,
  setRates,
} from "../../support/books/books.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { usageBatches } from "../../support/books/usage-batches.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const MAX_AHEAD_MS = 5 * 60_000;
const EARLIEST = NOW + 6 * 60_000;
const HALF = { kind: "discount", basisPoints: 5_000 } as const;

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "calls", 10n);
  await setPrice(books, "pages", 10n);
  for (const account of ["acme", "bolt", "cord", "dora"]) {
    await openAccount(books, account, { lots: [{ credits: 1_000n }] });
  }
});

afterAll(() => books?.close());

test("a batch that has read the account when its terms are set is metered again, with them", async () => {
  const read = ratesReader();
  let isFirst = true;
  const readRates: ReadRates = async (transaction) => {
    const rates = await read(transaction);
    if (isFirst) {
      isFirst = false;
      expect(await set("acme", { validFrom: NOW - 1 })).toMatchObject({ kind: "set" });
    }
    return rates;
  };
  const usage = { eventId: "e", accountId: "acme", meter: "calls", quantity: 3n, occurredAt: NOW };
  const batch = { ...usageBatches(books, "0").next([usage]), now: NOW };
  expect(await debitUsage(books.database, readRates, batch)).toMatchObject({ metered: 1 });
  const { rows } = await books.database.query("SELECT credits FROM usage_record");
  expect(rows).toEqual([{ credits: 15n }]);
  expect(await brokenInvariants(books.database)).toEqual([]);
});

test("what was metered keeps its price: of the meter, and of all meters", async () => {
  const tooEarly = { kind: "too_early", earliest: EARLIEST };
  expect(await set("acme", { validFrom: EARLIEST - 1 })).toEqual(tooEarly);
  expect(await set("acme", { meter: "calls", validFrom: NOW })).toEqual(tooEarly);
  expect(await set("acme", { meter: "pages", validFrom: NOW })).toMatchObject({ kind: "set" });
  const set2 = await set("acme", { meter: "calls", validFrom: null });
  expect(set2).toMatchObject({ kind: "set", terms: { validFrom: EARLIEST, setBy: "ines" } });
  expect(await set("bolt", { validFrom: null })).toMatchObject({ terms: { validFrom: NOW } });
});

test("the same terms change nothing, others from that instant on are refused", async () => {
  const again = { meter: "pages", validFrom: NOW };
  expect(await set("acme", again)).toMatchObject({ kind: "already_exists" });
  const atOnce = await set("acme", { ...again, validFrom: null }, NOW + 1);
  expect(atOnce).toMatchObject({ kind: "already_exists", terms: { validFrom: NOW } });
  const other = { ...again, pricing: { ...HALF, basisPoints: 1 } };
  expect(await set("acme", other)).toEqual({ kind: "version_exists" });
  expect(await set("acme", { meter: "nothing" })).toMatchObject({ kind: "unknown_meter" });
  expect(await set("nobody", {})).toMatchObject({ kind: "unknown_account" });
});

test("usage that waits for a price is tried again once its own account has a rate for it", async () => {
  const rateOf = (model: string) => ({
    ...{ dimensions: ["model"], rates: [{ patterns: [model], credits: 6n, per: 1n }] },
  });
  const chat = { meter: "chat", validFrom: NOW - 1 };
  await setRates(books, [rateTable(chat, rateOf("large"))]);
  const events = ["cord", "dora"].map((accountId) => ({
    ...{ eventId: "e", accountId, meter: "chat", quantity: 3n, occurredAt: NOW },
    dimensions: { model: "tuned" },
  }));
  const batch = { ...usageBatches(books, "1").next(events), now: NOW };
  const outcome = await debitUsage(books.database, ratesReader(), batch);
  expect(outcome).toMatchObject({ metered: 0, deadLetters: 2 });
  expect(await set("dora", { validFrom: NOW - 1 })).toMatchObject({ kind: "set" });
  expect(await retried()).toEqual([]);
  const pricing = { kind: "rates", terms: rateOf("tuned") } as const;
  expect(await set("cord", { ...chat, pricing })).toMatchObject({ kind: "set" });
  expect(await retried()).toEqual(["cord"]);
});

test("bands of an own rate hold in whatever order they are stated", async () => {
  const bands = [
    { patterns: [], credits: 5n, per: 1n },
    { patterns: [], credits: 8n, per: 1n, band: { of: null, from: 5n } },
  ];
  for (const [account, rates] of [
    ["edna", bands],
    ["fred", bands.toReversed()],
  ] as const) {
    await openAccount(books, account, { lots: [{ credits: 1_000n }] });
    const pricing = { kind: "rates", terms: { dimensions: [], rates } } as const;
    const terms = { meter: "calls", validFrom: NOW - 1, pricing };
    expect(await set(account, terms)).toMatchObject({ kind: "set" });
  }
  const events = ["edna", "fred"].flatMap((accountId) =>
    [4n, 9n].map((quantity) => {
      return { eventId: `${quantity}`, accountId, meter: "calls", quantity, occurredAt: NOW };
    }),
  );
  const batch = { ...usageBatches(books, "2").next(events), now: NOW };
  expect(await debitUsage(books.database, ratesReader(), batch)).toMatchObject({ metered: 4 });
  const { rows } = await books.database.query(
    "SELECT account_id, credits FROM usage_record WHERE account_id IN ('edna', 'fred') ORDER BY 1, 2",
  );
  expect(rows.map(({ credits }) => credits)).toEqual([20n, 72n, 20n, 72n]);
});

async function retried(): Promise<string[]> {
  for await (const _ of retryResolved(books.database, NOW));
  const { rows } = await books.database.query<{ account_id: string }>(
    "SELECT account_id FROM dead_letter WHERE retry_asked_at IS NOT NULL",
  );
  return rows.map(({ account_id }) => account_id);
}

function set(account: string, given: Partial<Parameters<typeof setOwnTerms>[2]>, now = NOW) {
  const by = { accountId: toAccountId(account), now, by: "ines" };
  const terms = { meter: null, validFrom: null, pricing: HALF, reason: "contract", ...given };
  return setOwnTerms(books.database, by, terms, MAX_AHEAD_MS);
}

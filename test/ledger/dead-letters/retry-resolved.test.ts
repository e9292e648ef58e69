import { afterEach, beforeEach, expect, test } from "vitest";
import { retryResolved } from "../../../shared/ledger/dead-letters/retry-resolved.ts";
import { type Books, openAccount, openBooks, setPrice } from "../../support/books/books.ts";

/** The check for dead letters that can now be metered, among very many that cannot. */
const LETTERS = 117_000;
const NAMES = 3;

let books: Books;

beforeEach(async () => {
  books = await openBooks();
  await books.database.query(
    `INSERT INTO dead_letter (topic, kafka_partition, kafka_offset, account_id, meter, occurred_at,
                              reason, detail, payload, recorded_at)
     SELECT 'usage.events', 0, at, 'account-' || at % $2, 'meter-' || at % $2,
            timestamptz '2026-10-01' + at * interval '1 second',
            (ARRAY['unknown_account', 'unknown_meter', 'no_price'])[at / $2 % 3 + 1], '', 'x', now()
     FROM generate_series(0, $1::integer - 1) AS at`,
    [LETTERS, NAMES],
  );
});

afterEach(async () => {
  await books.close();
});

test("while what they lack does not exist, a check reads a few rows of the index, whatever their number", async () => {
  expect(await look()).toBe(0);
  const read = await rowsRead();
  expect(read).toBeGreaterThanOrEqual(2 * NAMES);
  expect(read).toBeLessThanOrEqual(4 * (NAMES + 1));
});

test("those of an account that now exists are marked to be retried, each once", async () => {
  await openAccount(books, "account-1");
  expect(await look()).toBe(LETTERS / 9);
  expect(await look()).toBe(0);
  expect(await asked()).toEqual([
    { account_id: "account-1", reason: "unknown_account", n: LETTERS / 9 },
  ]);
});

test("those of a meter are retried when they occurred at a time it has a price for", async () => {
  const half = Date.parse("2026-10-01T00:00:00Z") + (LETTERS / 2) * 1_000;
  await setPrice(books, "meter-2", 1n, 1n, half);
  await setPrice(books, "meter-2", 2n, 1n, half + 60_000);
  const expected = await count(
    "meter = 'meter-2' AND reason <> 'unknown_account' AND occurred_at >= $1",
    half,
  );
  expect(await look()).toBe(expected);
  expect(await look()).toBe(0);
  expect(await count("retry_asked_at IS NOT NULL AND occurred_at < $1", half)).toBe(0);
});

test("concurrent checks mark each once, and skip what another has locked", async () => {
  await openAccount(books, "account-0");
  const looks = await Promise.all([look(), look(), look()]);
  const late = await look();
  expect(looks.reduce((sum, count) => sum + count, late)).toBe(LETTERS / 9);
});

test("all names are checked, even when there are more than one check takes", async () => {
  await books.database.query(
    `UPDATE dead_letter SET account_id = 'account-' || lpad((kafka_offset % 2500)::text, 4, '0')
     WHERE kafka_offset < 25000`,
  );
  await openAccount(books, "account-2499");
  const expected = await count("account_id = 'account-2499' AND reason = 'unknown_account'");
  expect(expected).toBeGreaterThan(0);
  expect(await look()).toBe(expected);
});

async function look(): Promise<number> {
  let asked = 0;
  for await (const count of retryResolved(books.database, Date.now())) asked += count;
  return asked;
}

/** Rows read from the indexes used by the check. */
async function rowsRead(): Promise<number> {
  await books.database.query("SELECT pg_stat_force_next_flush()");
  const { rows } = await books.database.query<{ n: string }>(
    `SELECT sum(idx_tup_read) AS n FROM pg_stat_user_indexes
     WHERE relname = 'dead_letter'`,
  );
  return Number(rows[0]?.n ?? Number.NaN);
}

async function asked() {
  const { rows } = await books.database.query(
    `SELECT account_id, reason, count(*)::integer AS n
     FROM dead_letter WHERE retry_asked_at IS NOT NULL GROUP BY account_id, reason`,
  );
  return rows;
}

async function count(where: string, at?: number): Promise<number> {
  const { rows } = await books.database.query<{ n: number }>(
    `SELECT count(*)::integer AS n FROM dead_letter WHERE ${where}`,
    at === undefined ? [] : [new Date(at)],
  );
  return rows[0]?.n ?? -1;
}

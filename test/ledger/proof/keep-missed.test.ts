import { afterEach, beforeEach, expect, test } from "vitest";
import { keepMissed } from "../../../shared/ledger/proof/keep-missed.ts";
import { type Books, openBooks } from "../../support/books/books.ts";

/** A missed message is kept, marked to be published again and recorded as repaired: all of it, or nothing. */
let books: Books;

beforeEach(async () => {
  books = await openBooks();
});

afterEach(() => books.close());

test("a repeated message is kept once", async () => {
  await keep();
  await keep();
  expect(await waiting()).toEqual([{ offset: 7n, asked: true, repairs: 1 }]);
});

test("a failure at the last step leaves nothing behind", async () => {
  await books.database.query("ALTER TABLE repair ADD CHECK (what <> 'late_usage')");
  await expect(keep()).rejects.toThrow(/check constraint/);
  expect(await waiting()).toEqual([]);
  await books.database.query("ALTER TABLE repair DROP CONSTRAINT repair_what_check");
  await keep();
  expect(await waiting()).toHaveLength(1);
});

async function keep(): Promise<void> {
  const place = { topic: "usage.events", partition: 0, offset: 7n };
  const rejection = { reason: "missed", detail: "" } as const;
  const event = { accountId: "acme", meter: null, occurredAt: null, key: null };
  const letter = { ...place, ...event, rejection, payload: Buffer.from("x"), recordedAt: 1 };
  const difference = { accountId: "acme", difference: "missing_record:e-1", what: "late_usage" };
  const repair = { ...difference, by: "test", at: 2, detail: null };
  await keepMissed(books.database, letter, { retry: true }, repair);
}

async function waiting() {
  const { rows } = await books.database.query(`
    SELECT kafka_offset AS offset, retry_asked_at IS NOT NULL AS asked,
           (SELECT count(*)::integer FROM repair) AS repairs
    FROM dead_letter`);
  return rows;
}

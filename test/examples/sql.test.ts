import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ratesReader } from "../../shared/ledger/catalogue/rates.ts";
import { queryRows } from "../../shared/ledger/postgres/database.ts";
import { debitUsage } from "../../shared/ledger/usage/debit-usage.ts";
import { batchOf } from "../support/books/batch-of.ts";
import { type Books, openAccount, openBooks, setPrice } from "../support/books/books.ts";
import { usageBatches } from "../support/books/usage-batches.ts";

/** The statements of docs/sql.md, on books with an event of the day that they ask for. */
const page = await readFile(new URL("../../docs/sql.md", import.meta.url), "utf8");
const statements = [...page.matchAll(/```sql\n(.*?)```/gs)].map(([, text = ""]) => text);
const queries = statements.filter((text) => text.startsWith("SELECT"));

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "call", 2n);
  await openAccount(books, "acme");
  const event = { eventId: "one", accountId: "acme", quantity: 5n, dimensions: { model: "small" } };
  const occurredAt = Date.parse("2026-11-27T12:00:00Z");
  const run = usageBatches(books, "sql").run([{ ...event, occurredAt }]);
  await debitUsage(books.database, ratesReader(), batchOf([run], { now: occurredAt + 1_000 }));
});

afterAll(() => books?.close());

test.each(queries)("%s", async (query) => {
  const [row, another] = await queryRows<Record<string, unknown>>(books.database, query);
  expect(row, "the event, its sum or the account's debt").toBeDefined();
  expect(another).toBeUndefined();
});

test("a role that may only read is granted what the page says", async () => {
  const grants = statements.filter((text) => !text.startsWith("SELECT"));
  expect(grants).toHaveLength(1);
  await books.database.query(grants.join("").replaceAll("analyst", "sql_page_analyst"));
  await books.database.query("SET ROLE sql_page_analyst; SELECT * FROM usage_record; RESET ROLE");
});

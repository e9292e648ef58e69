import { afterAll, beforeAll, expect, test } from "vitest";
import { type Books, openAccount, openBooks } from "../support/books/books.ts";
import { openApi } from "../support/processes/api.ts";

let books: Books;

beforeAll(async () => {
  books = await openBooks();
});

afterAll(async () => {
  await books?.close();
});

test("a balance has its version as ETag, and is not sent again while it is unchanged", async () => {
  await openAccount(books, "acme", { lots: [{ credits: 5_000_000n }] });
  const { ask } = await openApi(books);
  const first = await ask("GET", "/v1/accounts/acme/balance");
  expect(first.status).toBe(200);
  expect(first.body).toEqual({
    account_id: "acme",
    balance: "5000000",
    granted: "5000000",
    position: "0",
    low_balance: false,
    threshold: "0",
    version: "2",
  });
  const headers = { "if-none-match": String(first.headers["etag"]) };
  const again = await ask("GET", "/v1/accounts/acme/balance", { headers });
  expect([again.status, again.text]).toEqual([304, ""]);
});

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Books, openAccount, openBooks } from "../support/books/books.ts";
import { makeKey, openApi, type TestApi } from "../support/processes/api.ts";

let books: Books;
let api: TestApi;
let accounts = 0;
let account: string;

beforeAll(async () => {
  books = await openBooks();
});

afterAll(async () => {
  await books?.close();
});

beforeEach(async () => {
  api = await openApi(books);
  accounts += 1;
  account = `acme-${accounts}`;
  await openAccount(books, account);
});

const grant = (credits: string, key: string, headers = {}) =>
  api.ask("POST", `/v1/accounts/${account}/grants`, {
    body: { credits },
    headers: { "idempotency-key": key, ...headers },
  });

async function lots(): Promise<number> {
  const { body } = await api.ask("GET", `/v1/accounts/${account}/lots`);
  return body.items.length;
}

test("the same request under the same key is executed once and answered the same", async () => {
  const first = await grant("1000000", "k-1");
  const again = await grant("1000000", "k-1");
  expect(first.status).toBe(201);
  expect([again.status, again.text]).toEqual([201, first.text]);
  expect(again.headers["idempotency-replayed"]).toBe("true");
  expect(await lots()).toBe(1);
});

test("another request under the same key is refused, and nothing is done", async () => {
  await grant("1000000", "k-1");
  const other = await grant("2000000", "k-1");
  expect([other.status, other.body.type]).toEqual([409, "urn:drawdown:idempotency_key_reused"]);
  expect(await lots()).toBe(1);
});

test("keys are separate for each caller", async () => {
  await grant("1000000", "k-1");
  const other = await makeKey(books, ["billing"]);
  const answer = await grant("1000000", "k-1", { authorization: `Bearer ${other}` });
  expect(answer.headers["idempotency-replayed"]).toBeUndefined();
});

test("ten concurrent requests grant once", async () => {
  const answers = await Promise.all(Array.from({ length: 10 }, () => grant("1000000", "k-1")));
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status !== 201 && status !== 409)).toEqual([]);
  expect(statuses).toContain(201);
  expect(await lots()).toBe(1);
});

test("a refused request may be repeated under the same key", async () => {
  expect((await grant("0", "k-1")).status).toBe(422);
  expect((await grant("0", "k-1")).headers["idempotency-replayed"]).toBeUndefined();
});

test("after a process ended before answering, the key can be used again: granted once", async () => {
  await grant("1000000", "k-1");
  await books.database.query(
    `UPDATE api_request SET status = NULL, answer = NULL, requested_at = now() - interval '2 minutes'
     WHERE idempotency_key = 'k-1'`,
  );
  expect((await grant("1000000", "k-1")).status).toBe(200);
  expect(await lots()).toBe(1);
});

test("the answer is given again for 24 hours; after that the key is new, and the credits are granted once", async () => {
  await grant("1000000", "k-1");
  const age = (hours: number) =>
    books.database.query("UPDATE api_request SET requested_at = now() - $1 * interval '1 hour'", [
      hours,
    ]);
  await age(23);
  expect((await grant("1000000", "k-1")).headers["idempotency-replayed"]).toBe("true");
  await age(25);
  const anew = await grant("1000000", "k-1");
  expect([anew.status, anew.headers["idempotency-replayed"]]).toEqual([200, undefined]);
  expect((await grant("1000000", "k-1")).headers["idempotency-replayed"]).toBe("true");
  expect(await lots()).toBe(1);
});

test("while the request is under way elsewhere, the caller is told to retry", async () => {
  await grant("1000000", "k-1");
  await books.database.query(
    "UPDATE api_request SET status = NULL, answer = NULL, requested_at = now()",
  );
  const answer = await grant("1000000", "k-1");
  expect([answer.status, answer.body.type]).toEqual([409, "urn:drawdown:request_in_progress"]);
  expect(answer.headers["retry-after"]).toBe("2");
});

test("an answer with a secret is not stored, and not shown again", async () => {
  const ask = () =>
    api.ask("POST", "/v1/keys", {
      body: { name: "once", scopes: ["read"] },
      headers: { "idempotency-key": "secret" },
    });
  const made = await ask();
  const again = await ask();
  expect([made.status, again.status]).toEqual([201, 409]);
  const { rows } = await books.database.query("SELECT answer FROM api_request");
  expect(JSON.stringify(rows)).not.toContain(made.body.key);
});

test.each(["", "a b", "é", "x".repeat(201)])("a key like %j is refused", async (key) => {
  const answer = await grant("1000000", key);
  expect([answer.status, answer.body.field]).toEqual([400, "Idempotency-Key"]);
});

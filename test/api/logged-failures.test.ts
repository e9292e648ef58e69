/** What is logged of requests that fail: an error is a fault of the API itself. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Books, connect, openAccount, openBooks } from "../support/books/books.ts";
import { openLog } from "../support/logged.ts";
import { listenersOf, openApi } from "../support/processes/api.ts";

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await openAccount(books, "acme");
});

afterAll(async () => {
  await books?.close();
});

test("a fault is an error, with what was asked", async () => {
  const { logger, logged } = openLog();
  const { app, ask } = await openApi(books, { logger });
  app.addHook("preHandler", async () => {
    throw new Error("a bug");
  });
  expect(await ask("GET", "/v1/accounts/acme/balance")).toMatchObject({ status: 500 });
  expect(logged).toMatchObject([
    {
      level: "error",
      msg: "a request failed",
      asked: "GET /v1/accounts/:account_id/balance",
      err: { message: "a bug" },
    },
  ]);
});

test("an outage of Postgres is none", async () => {
  const { logger, logged } = openLog();
  const away = connect("postgres://drawdown@127.0.0.1:1/books");
  const { app } = await openApi(books, { logger, database: away });
  const { statusCode } = await app.inject({ method: "GET", url: "/health" });
  expect(statusCode).toBe(503);
  expect(logged).toMatchObject([{ level: "warn", error: expect.stringMatching(/ECONNREFUSED/) }]);
  await away.end();
});

test("a stream that a stopping process refuses is not logged at all", async () => {
  const { logger, logged } = openLog();
  const stop = new AbortController();
  const listeners = listenersOf(books);
  const { ask } = await openApi(books, { logger, listeners, stopping: stop.signal });
  stop.abort();
  const { status, body } = await ask("GET", "/v1/accounts/acme/stream");
  expect([status, body.detail]).toEqual([503, "this process is about to stop; connect again"]);
  expect(logged).toEqual([]);
});

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { dismissDeadLetter } from "../../shared/ledger/dead-letters/dismiss.ts";
import { inTransaction } from "../../shared/ledger/postgres/database.ts";
import { storeDeadLetters } from "../../shared/ledger/usage/dead-letters.ts";
import { type Books, openBooks } from "../support/books/books.ts";
import { openApi, type TestApi } from "../support/processes/api.ts";

/** What the API shows operators about dead letters. */
let books: Books;
let api: TestApi;

beforeAll(async () => {
  books = await openBooks();
  // Of two recorded together, the one with the later offset counts as newer.
  const recorded = [3_000, 1_000, 2_000, 2_000];
  await inTransaction(books.database, (transaction) =>
    storeDeadLetters(
      transaction,
      recorded.map((recordedAt, at) => ({
        ...{ topic: TOPICS.usageEvents, partition: 0, offset: BigInt(at), recordedAt },
        ...{ accountId: null, meter: null, occurredAt: null, key: null, payload: Buffer.from("x") },
        rejection: { reason: "unreadable", detail: "" },
      })),
    ),
  );
  const place = { topic: TOPICS.usageEvents, partition: 0, offset: 2n };
  await dismissDeadLetter(books.database, place, { at: 4_000, by: "anna", reason: "a test" });
});

afterAll(async () => {
  await books?.close();
});

beforeEach(async () => {
  api = await openApi(books);
});

test("lists open dead letters, newest first, page by page", async () => {
  expect(await offsets("")).toEqual(["0", "3", "1"]);
  const { items } = (await api.ask("GET", "/v1/dead-letters?limit=1")).body;
  expect(items).toMatchObject([{ offset: "0", state: "open" }]);
});

test("also lists retried and dismissed ones, when all are requested", async () => {
  expect(await offsets("state=all")).toEqual(["0", "3", "2", "1"]);
  const { items } = (await api.ask("GET", "/v1/dead-letters?state=all")).body;
  expect(items[2]).toMatchObject({ offset: "2", state: "dismissed" });
  const wrong = await api.ask("GET", "/v1/dead-letters?state=some");
  expect([wrong.status, wrong.body.field]).toEqual([400, "state"]);
});

test("operators see the number of open ones by reason", async () => {
  expect((await api.ask("GET", "/v1/operations")).body.dead_letters).toEqual([
    { reason: "unreadable", count: 3 },
  ]);
});

/** From all pages, with one dead letter each. */
async function offsets(query: string): Promise<string[]> {
  const found: string[] = [];
  let cursor = "";
  for (;;) {
    const url = `/v1/dead-letters?limit=1&${query}${cursor}`;
    const { items, next_cursor } = (await api.ask("GET", url)).body;
    found.push(...items.map(({ offset }: { offset: string }) => offset));
    if (next_cursor === null) return found;
    cursor = `&cursor=${next_cursor}`;
  }
}

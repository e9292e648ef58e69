import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { dismissDeadLetter } from "../../shared/ledger/dead-letters/dismiss.ts";
import { inTransaction } from "../../shared/ledger/postgres/database.ts";
import { storeDeadLetters } from "../../shared/ledger/usage/dead-letters.ts";
import { type Books, openBooks } from "../support/books/books.ts";
import { makeKey, openApi, type TestApi } from "../support/processes/api.ts";

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

const AT = "/v1/dead-letters/usage.events/0";
const LIMITED = ["dead_letters"] as const;

test("one is retried or dismissed with the scope dead_letters, by whom is stored", async () => {
  const key = await makeKey(books, LIMITED);
  const by = `key:${key.split("_")[1]}`;
  const headers = { authorization: `Bearer ${key}` };
  const post = (url: string, body: object = {}) => api.ask("POST", url, { headers, body });
  const retried = await post(`${AT}/0/retries`);
  expect([retried.status, retried.body]).toEqual([
    200,
    { outcome: "asked", place: "usage.events/0/0" },
  ]);
  expect((await post(`${AT}/0/retries`)).body.outcome).toBe("asked_already");
  const dismissed = await post(`${AT}/1/dismissals`, { why: "sent by a test" });
  expect([dismissed.status, dismissed.body]).toEqual([
    200,
    {
      ...{ outcome: "dismissed", place: "usage.events/0/1" },
      ...{ dismissed_by: by, dismissed_reason: "sent by a test" },
    },
  ]);
  const { rows } = await books.database.query(
    `SELECT kafka_offset::text AS at, retry_asked_by, dismissed_by FROM dead_letter
     WHERE kafka_offset IN (0, 1) ORDER BY kafka_offset`,
  );
  expect(rows).toEqual([
    { at: "0", retry_asked_by: by, dismissed_by: null },
    { at: "1", retry_asked_by: null, dismissed_by: by },
  ]);
  const refusals = [
    await post(`${AT}/1/retries`),
    await post(`${AT}/1/dismissals`, { why: "again" }),
    await post(`${AT}/99/retries`),
    await post(`${AT}/first/retries`),
  ];
  expect(refusals.map(({ status, body }) => [status, body.type])).toEqual([
    [422, "urn:drawdown:already_dismissed"],
    [422, "urn:drawdown:already_dismissed"],
    [404, "urn:drawdown:unknown_dead_letter"],
    [400, "urn:drawdown:invalid"],
  ]);
});

test("all open ones of a reason are retried or dismissed; the others stay", async () => {
  const post = (url: string, body: object) => api.ask("POST", `/v1/dead-letters/${url}`, { body });
  const none = await post("retries", { reason: "conflict" });
  expect([none.status, none.body.type]).toEqual([422, "urn:drawdown:no_dead_letters"]);
  expect((await post("retries", { reason: null })).body).toEqual({
    ...{ outcome: "asked", asked: 1, asked_already: 1 },
    ...{ without_bytes: 0, cut: 0 },
  });
  const dismissal = { reason: "unreadable", why: "a test" };
  expect((await post("dismissals", dismissal)).body).toMatchObject({ dismissed: 2 });
  expect((await post("dismissals", dismissal)).body.type).toBe("urn:drawdown:no_dead_letters");
  expect(await offsets("")).toEqual([]);
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

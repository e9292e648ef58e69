import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { checkLag } from "../../services/metering/check-lag.ts";
import { USAGE_READER } from "../../shared/core/text/topics.ts";
import { raiseOffset } from "../../shared/ledger/books/consumer-offset.ts";
import { openHealth } from "../../shared/runtime/health/health.ts";
import { type Books, openBooks } from "../support/books/books.ts";
import { eventually } from "../support/eventually.ts";

const LIMIT_MS = 1_500;

let books: Books;
/** Of the only partition. */
let ends: { low: string; high: string };

beforeAll(async () => {
  books = await openBooks();
});

afterAll(() => books?.close());

beforeEach(async () => {
  await books.database.query("DELETE FROM consumer_offset");
  await raiseOffset(books.database, USAGE_READER, 0, 5n);
});

function lagOf(): () => Promise<string | undefined> {
  const health = openHealth(LIMIT_MS, new AbortController().signal);
  const fetchTopicOffsets = async () => [{ partition: 0, offset: ends.high, ...ends }];
  checkLag(health, { database: books.database, admin: { fetchTopicOffsets } }, LIMIT_MS);
  return async () => (await health.readiness())["lag"]?.reason;
}

test("unread usage in which the books do not move on is named, until they do", async () => {
  ends = { low: "0", high: "9" };
  const lag = lagOf();
  expect(await lag()).toBeUndefined();
  const named = "partition 0 of usage.events is metered up to offset 5, and ends at 9";
  await eventually("it is named", async () => (await lag()) === named);
  await raiseOffset(books.database, USAGE_READER, 0, 6n);
  await eventually("it moves on", async () => (await lag()) === undefined);
});

test.each([
  { what: "all is read", low: "0", high: "5" },
  { what: "retention has deleted the rest", low: "9", high: "9" },
])("nothing is named where $what", async ({ low, high }) => {
  ends = { low, high };
  const lag = lagOf();
  const until = performance.now() + 2 * LIMIT_MS;
  await eventually("it would be named", async () => {
    expect(await lag()).toBeUndefined();
    return performance.now() > until;
  });
});

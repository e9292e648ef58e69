import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toAccountId } from "../../../shared/core/text/text.ts";
import {
  inTransaction,
  queryRow,
  type Transaction,
} from "../../../shared/ledger/postgres/database.ts";
import { findMeteredEvent } from "../../../shared/ledger/usage/explain.ts";
import { type EventOwner, findRecords } from "../../../shared/ledger/usage/find-records.ts";
import { type Books, openAccount, openBooks, setPrice } from "../../support/books/books.ts";
import { type Usage, usageBatches } from "../../support/books/usage-batches.ts";

const PAGES = 60;
const HOUR = 3_600_000;

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "call", 1n);
});

afterAll(() => books?.close());

const READ = `
  SELECT coalesce(sum(idx_tup_fetch + seq_tup_read), 0)::integer AS pages
  FROM pg_stat_xact_user_tables WHERE relname LIKE 'usage_page%'`;

async function pagesRead(transaction: Transaction): Promise<number> {
  return (await queryRow<{ pages: number }>(transaction, READ))?.pages ?? 0;
}

/** What is found of events, in their order by id, and how many pages Postgres reads for it. */
async function find(named: readonly EventOwner[]) {
  return inTransaction(books.database, async (transaction) => {
    const readBefore = await pagesRead(transaction);
    const found = await findRecords(transaction, "record.credits", named);
    const pages = (await pagesRead(transaction)) - readBefore;
    return { found: found.map(({ eventId, source }) => `${eventId}/${source}`).sort(), pages };
  });
}

/** Two events on each of an account's pages. */
async function usePages(accountId: string): Promise<(Usage & { source: string })[]> {
  await openAccount(books, accountId);
  const batches = usageBatches(books, accountId);
  const all: (Usage & { source: string })[] = [];
  for (let page = 0; page < PAGES; page += 1) {
    const events = [randomUUID(), `request ${page}`].map((eventId) => {
      return { accountId, eventId, quantity: 1n, source: "" };
    });
    await batches.debit(events);
    all.push(...events);
  }
  return all;
}

/** Ends the generation of identities, so that all usage up to now is older than the next one. */
async function nextGeneration(): Promise<void> {
  await books.database.query(
    "SELECT begin_usage_generation(to_timestamp($1 / 1000.0), 'infinity')",
    [Date.now() + 1],
  );
}

const named = (events: readonly Usage[]) => events.map(({ eventId }) => `${eventId}/`).sort();

describe("finding many events of an account", () => {
  test("reads each page once where identities lead to it, and no other", async () => {
    const events = await usePages("recent");
    const some = events.slice(0, PAGES);
    const { found, pages } = await find(some);
    expect(found).toEqual(named(some));
    expect(pages).toBe(PAGES / 2);
  });

  test("reads older pages twice at most, however many events are on them", async () => {
    const events = await usePages("older");
    await nextGeneration();
    await nextGeneration();
    const { found, pages } = await find([...events, { accountId: "older", eventId: "none" }]);
    expect(found).toEqual(named(events));
    expect(pages).toBe(2 * PAGES);
  });

  test("finds an id of one account on its older pages only, though another's has it", async () => {
    const ids = { here: "request 1", there: "request 2" };
    const { found } = await find([
      { accountId: "older", eventId: ids.here },
      { accountId: "recent", eventId: ids.there },
    ]);
    expect(found).toEqual(["request 1/", "request 2/"]);
  });
});

test("an id that another source used before identities begin is found of both", async () => {
  const accountId = toAccountId("sources");
  await openAccount(books, accountId);
  const batches = usageBatches(books, accountId);
  const use = { accountId, eventId: "request", quantity: 1n, occurredAt: Date.now() - HOUR };
  await batches.debit([{ ...use, source: "eu" }]);
  await nextGeneration();
  await nextGeneration();
  await batches.debit([{ ...use, source: "us" }]);
  const both = ["request/eu", "request/us"];
  expect((await find([{ accountId, eventId: "request" }])).found).toEqual(both);
  expect((await find([{ accountId, eventId: "request", source: "eu" }])).found).toEqual(both);
  expect((await find([{ accountId, eventId: "request", source: "us" }])).found).toEqual([
    "request/us",
  ]);
  const explain = (source: string | null) =>
    inTransaction(books.database, (transaction) =>
      findMeteredEvent(transaction, { accountId, eventId: "request", source }),
    );
  expect(await explain(null)).toMatchObject({ kind: "several_sources", sources: ["eu", "us"] });
  expect(await explain("eu")).toMatchObject({ source: "eu", credits: 1n });
});

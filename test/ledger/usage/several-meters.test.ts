import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { findMeteredEvent } from "../../../shared/ledger/usage/explain.ts";
import { listUsage, type UsagePlace } from "../../../shared/ledger/usage/list.ts";
import { sumUsage } from "../../../shared/ledger/usage/sum-usage.ts";
import { type Books, openAccount, openBooks, setPrice } from "../../support/books/books.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { type Usage, usageBatches } from "../../support/books/usage-batches.ts";

/**
 * Events of several meters in the books: of accounts that only draw, which are metered in columns, and of those to
 * which more happens, which are metered event by event.
 */
const HOUR = 3_600_000;
const NOW = Math.floor(Date.now() / HOUR) * HOUR + HOUR / 2;
let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "input", 1n);
  await setPrice(books, "cached", 1n, 10n);
  await setPrice(books, "output", 4n);
});

afterAll(() => books?.close());

const PATHS = [
  ["in columns", { lots: [{ credits: 1_000_000n }] }],
  ["event by event", { threshold: 2_000_000n, lots: [{ credits: 1_000_000n }] }],
] as const;

describe.each(PATHS)("an event of several meters, metered %s", (path, account) => {
  const open = async (name: string) => {
    const accountId = `${name} ${path}`;
    await openAccount(books, accountId, account);
    const request = (eventId: string, given: Partial<Usage> = {}): Usage => ({
      ...{ eventId, accountId, meter: "input", quantity: 300n, occurredAt: NOW },
      quantities: { output: 50n, cached: 125n },
      ...given,
    });
    return { accountId, request, batches: usageBatches(books, accountId) };
  };

  test("has a row for each meter, end to end on the line, and one identity", async () => {
    const { accountId, request, batches } = await open("rows");
    const outcome = await batches.debit([request("e1"), request("e2", { quantities: {} })]);
    expect(outcome).toMatchObject({ metered: 2, repeats: 0, deadLetters: 0 });
    expect(await rowsOf(accountId)).toEqual([
      ["e1", "input", 300n, 300n, 0n, false],
      ["e1", "cached", 125n, 12n, 300n, true],
      ["e1", "output", 50n, 200n, 312n, true],
      ["e2", "input", 300n, 300n, 512n, false],
    ]);
    expect(await brokenInvariants(books.database, accountId)).toEqual([]);
  });

  test("is metered once; with other lines it is a conflict that names them", async () => {
    const { accountId, request, batches } = await open("repeats");
    const turned = { quantities: { cached: 125n, output: 50n } };
    expect(await batches.debit([request("e1"), request("e1", turned)])).toMatchObject({
      ...{ metered: 1, repeats: 1 },
    });
    expect(await batches.debit([request("e0"), request("e1", turned)])).toMatchObject({
      ...{ metered: 1, repeats: 1 },
    });
    const other = { quantities: { cached: 125n, output: 51n } };
    expect(await batches.debit([request("e1", other)])).toMatchObject({ deadLetters: 1 });
    const { rows } = await books.database.query<{ detail: string }>(
      "SELECT detail FROM dead_letter WHERE account_id = $1",
      [accountId],
    );
    expect(rows).toEqual([{ detail: "metered before: quantity of output is 51, was 50" }]);
    expect(await brokenInvariants(books.database, accountId)).toEqual([]);
  });

  test("without a price for one meter is a dead letter under that meter, and draws nothing", async () => {
    const { accountId, request, batches } = await open("unpriced");
    const event = request("e1", { quantities: { cached: 10n, [`new ${path}`]: 1n } });
    expect(await batches.debit([event, request("e2")])).toMatchObject({
      ...{ metered: 1, deadLetters: 1 },
    });
    const { rows } = await books.database.query<{ reason: string; meter: string }>(
      "SELECT reason, meter FROM dead_letter WHERE account_id = $1",
      [accountId],
    );
    expect(rows).toEqual([{ reason: "unknown_meter", meter: `new ${path}` }]);
    expect((await rowsOf(accountId)).map(([eventId]) => eventId)).toEqual(["e2", "e2", "e2"]);
  });

  test("is never on two pages, of which each has room for 48 lines", async () => {
    const { accountId, request, batches } = await open("pages");
    const further = Object.fromEntries(["cached", "output"].map((meter) => [meter, 1n]));
    const events = Array.from({ length: 40 }, (_, at) =>
      request(`e${at}`, { quantities: at % 5 === 0 ? {} : further }),
    );
    await batches.debit(events);
    const { rows } = await books.database.query<{ lines: number; events: number; pages: number }>(
      `SELECT max(lines)::integer AS lines, sum(events)::integer AS events, count(*)::integer AS pages
       FROM (SELECT count(*) AS lines, count(DISTINCT event_id) AS events
             FROM usage_record WHERE account_id = $1 GROUP BY page_start, page_version, page_place) AS page`,
      [accountId],
    );
    // An event on two pages would count twice.
    expect(rows).toEqual([{ lines: 46, events: 40, pages: 3 }]);
    expect(await brokenInvariants(books.database, accountId)).toEqual([]);
    expect(await batches.debit([...events, request("new")])).toMatchObject({
      ...{ metered: 1, repeats: 40 },
    });
  });

  test("is found whole, with each of its lines", async () => {
    const { accountId, request, batches } = await open("found");
    await batches.debit([request("e0"), request("e1")]);
    const event = await inTransaction(books.database, (transaction) =>
      findMeteredEvent(transaction, {
        accountId: toAccountId(accountId),
        eventId: "e1",
        source: null,
      }),
    );
    expect(event).toMatchObject({
      ...{ meter: "input", quantity: 300n, credits: 513n, drawn: { start: 512n, end: 1_025n } },
      lines: [
        { meter: "input", credits: 300n },
        { meter: "cached", quantity: 125n, credits: 13n },
        { meter: "output", credits: 200n },
      ],
    });
  });

  test("is listed line by line, whatever the size of a page of the list", async () => {
    const { accountId, request, batches } = await open("listed");
    await batches.debit([request("e1"), request("e2")]);
    await batches.debit([request("e3", { quantities: {} }), request("e4")]);
    const expected = (await rowsOf(accountId)).map(([id, meter]) => `${id} ${meter}`).reverse();
    for (const limit of [1, 2, 3, 100]) {
      expect(await listed(accountId, null, limit)).toEqual(expected);
    }
    expect(await listed(accountId, "cached", 1)).toEqual(["e4 cached", "e2 cached", "e1 cached"]);
  });

  test("counts once by source and by dimension, and for each meter that it has", async () => {
    const { accountId, request, batches } = await open("sums");
    const dimensions = { model: "gpt-5" };
    await batches.debit([request("e1", { dimensions }), request("e2", { quantities: {} })]);
    const range = { from: NOW - 60_000, to: NOW + 60_000, step: null, timeZone: "UTC", limit: 100 };
    const sums = (group: Parameters<typeof sumUsage>[2]["group"]) =>
      inTransaction(books.database, async (transaction) => {
        const totals = await sumUsage(transaction, toAccountId(accountId), { ...range, group });
        return totals.map(({ key, events, credits }) => [key, events, credits]);
      });
    expect(await sums("source")).toEqual([["", 2n, 812n]]);
    expect(await sums({ dimension: "model" })).toEqual([
      ["", 1n, 300n],
      ["gpt-5", 1n, 512n],
    ]);
    expect(await sums("meter")).toEqual([
      ["cached", 1n, 12n],
      ["input", 2n, 600n],
      ["output", 1n, 200n],
    ]);
  });
});

async function rowsOf(accountId: string): Promise<unknown[][]> {
  const { rows } = await books.database.query<unknown[]>({
    text: `SELECT event_id, meter, quantity, credits, start_position, goes_on
           FROM usage_record WHERE account_id = $1 ORDER BY page_start, page_version, place`,
    values: [accountId],
    rowMode: "array",
  });
  return rows;
}

/** All usage of an account, read by pages of so many records. */
async function listed(accountId: string, meter: string | null, limit: number): Promise<string[]> {
  const range = { from: NOW - HOUR, to: NOW + HOUR, meter };
  const pageAfter = (before: UsagePlace | null) =>
    inTransaction(books.database, (transaction) =>
      listUsage(transaction, toAccountId(accountId), range, { before, limit }),
    );
  const all: Awaited<ReturnType<typeof pageAfter>> = [];
  for (;;) {
    const page = await pageAfter(all.at(-1)?.at ?? null);
    if (page.length === 0) return all.map((record) => `${record.eventId} ${record.meter}`);
    all.push(...page);
  }
}

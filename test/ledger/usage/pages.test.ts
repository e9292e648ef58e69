import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { addMonth } from "../../../shared/ledger/usage/add-usage-month.ts";
import {
  endOf,
  MOST_LINES,
  type PagedUsage,
  pagesOf,
  writePages,
} from "../../../shared/ledger/usage/pages.ts";
import { type Books, openBooks } from "../../support/books/books.ts";

const NOW = Date.UTC(2026, 2, 10);
const DAY = 24 * 60 * 60 * 1000;
const ROLL_BACK = new Error("rolled back");

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await addMonth(books.database, NOW);
});

afterAll(() => books?.close());

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }).map(storable);
const few = (values: readonly string[]) => fc.constantFrom(...values);

const anyEvent = fc.record({
  eventId: fc.oneof({ weight: 3, arbitrary: fc.uuid() }, { weight: 1, arbitrary: text }),
  meter: few(["call", "tokens", "naïve meter", '"quoted", {}\\']),
  quantity: fc.bigInt(0n, 2n ** 63n - 1n),
  occurredAt: fc.integer({ min: NOW - 60 * DAY, max: NOW }),
  source: fc.oneof(few(["", "eu", "us"]), text),
  dimensions: fc.oneof(
    fc.constant({}),
    fc.constant({ model: "gpt", b: 'with "quotes", and \\' }),
    fc.dictionary(text, text, { maxKeys: 3 }),
  ),
  holdId: fc.option(fc.oneof(few(["run-1", "run-2", "run-3"]), text), { freq: 2 }),
  partition: fc.integer({ min: 0, max: 3 }),
  credits: fc.oneof(fc.constant(0n), fc.bigInt(0n, 10n ** 12n)),
  part: fc.constantFrom(0n, 0n, 0n, 1n, 2n),
  gap: fc.constantFrom(0n, 0n, 0n, 0n, 500n),
  isNewTransaction: fc.boolean(),
});

/** Usage of one account in the order in which it drew, of one transaction or of several. */
const anyUsage = fc.array(anyEvent, { minLength: 1, maxLength: 3 * MOST_LINES }).map((drawn) => {
  let [start, version] = [0n, 1n];
  return drawn.map(({ credits, part, gap, isNewTransaction, ...event }, at): PagedUsage => {
    start += gap;
    if (isNewTransaction) version += 1n;
    const givenBack = part === 0n ? 0n : credits / part;
    const usage = {
      event: { ...event, accountId: "acme", offset: BigInt(1_000 + at) },
      ...{ credits, givenBack, start, version, meteredAt: NOW + Number(version) },
      holdsUsed: new Set(["run-1", "run-3"]),
    };
    start = endOf(usage);
    return usage;
  });
});

describe("usage that is written to pages", () => {
  test("is read as it was, in the order in which it drew", async () => {
    await fc.assert(
      fc.asyncProperty(anyUsage, async (usage) => {
        expect(await writtenAndRead(usage)).toEqual(usage.map(toRow));
      }),
      { numRuns: 60 },
    );
  });

  test("of events far apart, or of many, is on several pages", () => {
    const one = (at: number, occurredAt: number): PagedUsage => ({
      event: {
        ...{ eventId: `e-${at}`, accountId: "acme", meter: "call", quantity: 1n, occurredAt },
        ...{ source: "", dimensions: {}, holdId: null, partition: 0, offset: BigInt(at) },
      },
      ...{ credits: 1n, givenBack: 0n, start: BigInt(at), version: 1n, meteredAt: NOW },
      holdsUsed: null,
    });
    const sizes = (usage: readonly PagedUsage[]) =>
      pagesOf(usage).map((page) => [page.usage.length, page.place]);
    expect(sizes([one(0, NOW), one(1, NOW - 24 * DAY), one(2, NOW - 25 * DAY)])).toEqual([
      [2, 0],
      [1, 2],
    ]);
    const many = Array.from({ length: MOST_LINES + 2 }, (_, at) => one(at, NOW));
    expect(sizes(many)).toEqual([
      [MOST_LINES, 0],
      [2, MOST_LINES],
    ]);
    expect(sizes([])).toEqual([]);
  });
});

async function writtenAndRead(usage: readonly PagedUsage[]): Promise<unknown[]> {
  let rows: unknown[] = [];
  await inTransaction(books.database, async (transaction) => {
    await writePages(transaction, pagesOf(usage));
    ({ rows } = await transaction.query({
      text: `SELECT event_id, account_id, meter, quantity, occurred_at, source,
                    coalesce(dimensions, '{}'), credits, coalesce(given_back, 0), start_position,
                    kafka_partition, kafka_offset, metered_at, version, hold_id, hold_used
             FROM usage_record
             ORDER BY page_start, page_version, place`,
      rowMode: "array",
    }));
    throw ROLL_BACK;
  }).catch((error) => {
    if (error !== ROLL_BACK) throw error;
  });
  return rows;
}

function toRow(paged: PagedUsage): unknown[] {
  const { event, credits, givenBack, start, version, meteredAt, holdsUsed } = paged;
  const { eventId, accountId, meter, quantity, occurredAt, source, dimensions } = event;
  return [
    ...[eventId, accountId, meter, quantity, occurredAt, source, dimensions, credits, givenBack],
    ...[start, event.partition, event.offset, meteredAt, version],
    ...[event.holdId, event.holdId === null ? null : holdsUsed?.has(event.holdId)],
  ];
}

/** As valid ids and dimensions are. */
function storable(value: string): string {
  return value.replaceAll("\0", "0").replaceAll("\uFFFD", "?").toWellFormed() || "x";
}

import type { Instant } from "../../core/line/account.ts";
import type { Transaction } from "../postgres/database.ts";
import { insertRows, type RowWriter } from "../postgres/insert-rows.ts";

/** What a page is written from, whatever holds its events; `index` counts them from 0. */
export interface PageRow {
  readonly accountId: string;
  readonly start: bigint | number;
  readonly version: bigint;
  readonly end: bigint | number;
  readonly place: number;
  readonly meteredAt: Instant;
  /** The range of `occurred_at`. */
  readonly firstAt: Instant;
  readonly lastAt: Instant;
  readonly count: number;
  /** Writes the columns event_uuids and event_ids. */
  putIds(rows: RowWriter): void;
  meterAt(index: number): string;
  sourceAt(index: number): string;
  /** In JSON; null: none. */
  dimensionsAt(index: number): string | null;
  quantityAt(index: number): bigint | number;
  occurredAtAt(index: number): Instant;
  creditsAt(index: number): bigint | number;
  partitionAt(index: number): number;
  offsetAt(index: number): bigint | number;
  /** Null: no event names one. */
  readonly holds: PageHolds | null;
  /** Where not each event drew its credits behind the one before, in one transaction; null: each did. */
  readonly uneven: Uneven | null;
}

/** The holds that the events of a page name. */
export interface PageHolds {
  at(index: number): string | null;
  /** Those that took usage; null: not known. */
  readonly used: ReadonlySet<string> | null;
}

/** Null: as on even pages. */
interface Uneven {
  readonly givenBack: readonly bigint[] | null;
  readonly starts: readonly bigint[] | null;
  readonly versionsAfter: readonly number[] | null;
  readonly meteredAfter: readonly number[] | null;
}

const EVEN: Uneven = { givenBack: null, starts: null, versionsAfter: null, meteredAfter: null };

const COLUMNS = `account_id, start_position, version, end_position, place, metered_at, first_at, last_at,
    first_offset, last_offset, event_uuids, event_ids, meters, meter_numbers, sources, source_numbers, dimensions,
    dimension_numbers, quantities, occurred_after, credits, given_back, starts, kafka_partitions,
    kafka_offsets, versions_after, metered_after`;

/** Writes rows of `usage_page`; those of batches in which no event names a hold without the columns of holds. */
export async function insertPages(
  transaction: Transaction,
  pages: readonly PageRow[],
): Promise<void> {
  const into = { table: "usage_page", columns: COLUMNS };
  if (pages.every(({ holds }) => holds === null)) {
    await insertRows(transaction, into, pages, putPage);
    return;
  }
  const columns = `${COLUMNS}, hold_ids, hold_numbers, holds_used`;
  await insertRows(transaction, { ...into, columns }, pages, (rows, page) => {
    putPage(rows, page);
    putHolds(rows, page);
  });
}

function putPage(rows: RowWriter, page: PageRow): void {
  const { count, firstAt } = page;
  const { givenBack, starts, versionsAfter, meteredAfter } = page.uneven ?? EVEN;
  rows.text(page.accountId);
  rows.int8(page.start);
  rows.int8(page.version);
  rows.int8(page.end);
  rows.int4(page.place);
  rows.timestamptz(page.meteredAt);
  rows.timestamptz(firstAt);
  rows.timestamptz(page.lastAt);
  putOffsets(rows, page);
  page.putIds(rows);
  putMeters(rows, page);
  putSources(rows, page);
  putDimensions(rows, page);
  rows.int8Array(count, (index) => page.quantityAt(index));
  rows.int4Array(count, (index) => page.occurredAtAt(index) - firstAt);
  rows.int8Array(count, (index) => page.creditsAt(index));
  putInt8s(rows, givenBack);
  putInt8s(rows, starts);
  rows.int4Array(isOfOnePartition(page) ? 1 : count, (index) => page.partitionAt(index));
  rows.int8Array(count, (index) => page.offsetAt(index));
  putInt4s(rows, versionsAfter);
  putInt4s(rows, meteredAfter);
}

function putInt8s(rows: RowWriter, values: readonly bigint[] | null): void {
  if (values === null) rows.null();
  else rows.int8Array(values.length, (index) => values[index] ?? 0n);
}

function putInt4s(rows: RowWriter, values: readonly number[] | null): void {
  if (values === null) rows.null();
  else rows.int4Array(values.length, (index) => values[index] ?? 0);
}

/** The least of the offsets and the greatest. */
function putOffsets(rows: RowWriter, page: PageRow): void {
  let least = page.offsetAt(0);
  let most = least;
  for (let index = 1; index < page.count; index += 1) {
    const offset = page.offsetAt(index);
    if (offset < least) least = offset;
    if (offset > most) most = offset;
  }
  rows.int8(least);
  rows.int8(most);
}

function isOfOnePartition(page: PageRow): boolean {
  const first = page.partitionAt(0);
  for (let index = 1; index < page.count; index += 1) {
    if (page.partitionAt(index) !== first) return false;
  }
  return true;
}

function putMeters(rows: RowWriter, page: PageRow): void {
  const { values, numbers } = numbered(page.count, (index) => page.meterAt(index));
  rows.textArray(values.length, (index) => values[index] ?? "");
  putNumbers(rows, numbers);
}

function putSources(rows: RowWriter, page: PageRow): void {
  const { values, numbers } = numbered(page.count, (index) => page.sourceAt(index));
  rows.textArray(values.length, (index) => values[index] ?? "");
  putNumbers(rows, numbers);
}

function putDimensions(rows: RowWriter, page: PageRow): void {
  const { values, numbers } = numbered(page.count, (index) => page.dimensionsAt(index));
  if (values.length === 0) rows.null();
  else rows.jsonbArray(values.length, (index) => values[index] ?? "");
  putNumbers(rows, numbers);
}

function putHolds(rows: RowWriter, { holds, count }: PageRow): void {
  const { values, numbers } = holds === null ? NONE : numbered(count, (index) => holds.at(index));
  if (values.length === 0) rows.null();
  else rows.textArray(values.length, (index) => values[index] ?? "");
  putNumbers(rows, numbers);
  const used = holds?.used ?? null;
  if (values.length === 0 || used === null) rows.null();
  else rows.boolArray(values.length, (index) => used.has(values[index] ?? ""));
}

function putNumbers(rows: RowWriter, numbers: readonly number[] | null): void {
  if (numbers === null) rows.null();
  else rows.int2Array(numbers.length, (index) => numbers[index] ?? 0);
}

/** Values listed once each, and for each event the place of its own, from 1 on; 0: it has none. */
interface Numbered {
  readonly values: readonly string[];
  /** Null: all have the first value. */
  readonly numbers: readonly number[] | null;
}

const NONE: Numbered = { values: [], numbers: null };

function numbered(count: number, at: (index: number) => string | null): Numbered {
  const first = at(0);
  let same = 1;
  while (same < count && at(same) === first) same += 1;
  if (same === count) return { values: first === null ? [] : [first], numbers: null };
  const values: string[] = [];
  const numbers: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const value = at(index);
    numbers.push(value === null ? 0 : numberIn(values, value));
  }
  return { values, numbers };
}

/** A page has few values, so a scan is fast. */
function numberIn(values: string[], value: string): number {
  const known = values.indexOf(value);
  return known === -1 ? values.push(value) : known + 1;
}

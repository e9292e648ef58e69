import type { Instant } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import type { Drawn } from "../../core/usage/events-in-batch.ts";
import type { ReceivedEvent } from "../../core/usage/usage-event.ts";
import type { Transaction } from "../postgres/database.ts";
import { insertRows, type RowWriter } from "../postgres/insert-rows.ts";
import { isUuid } from "./event-key.ts";

/** Three such pages fill a block of Postgres; who looks for one event reads no more than these. */
export const MOST_EVENTS = 48;
/** The most milliseconds that an integer holds. */
const MOST_APART_MS = 2 ** 31 - 1;

/** An event as it was drawn, and by which transaction. */
export interface PagedUsage extends Drawn<ReceivedEvent> {
  /** The account's version after the transaction. */
  readonly version: bigint;
  readonly meteredAt: Instant;
}

/** Where a page is among those of its account: where the first event written to it began to draw. */
export interface PageKey {
  readonly start: MicroCredits;
  readonly version: bigint;
  /** How many events of that one's transaction are on pages before this one. */
  readonly place: number;
}

/** Usage of one account, in the order in which it drew, that makes one row; at least one event. */
export interface Page extends PageKey {
  readonly usage: readonly PagedUsage[];
  /** The range of `occurred_at`. */
  readonly firstAt: Instant;
  readonly lastAt: Instant;
}

/** Divides usage of one account, in the order in which it drew, into pages. */
export function pagesOf(usage: readonly PagedUsage[]): Page[] {
  const pages: Page[] = [];
  let page: (Page & { usage: PagedUsage[]; firstAt: Instant; lastAt: Instant }) | null = null;
  let transactionFrom = 0;
  for (const [index, one] of usage.entries()) {
    const { occurredAt } = one.event;
    if (one.version !== usage[index - 1]?.version) transactionFrom = index;
    if (page === null || !fits(page, one)) {
      const { start, version } = one;
      const key: PageKey = { start, version, place: index - transactionFrom };
      page = { ...key, usage: [], firstAt: occurredAt, lastAt: occurredAt };
      pages.push(page);
    }
    page.usage.push(one);
    page.firstAt = Math.min(page.firstAt, occurredAt);
    page.lastAt = Math.max(page.lastAt, occurredAt);
  }
  return pages;
}

function fits({ usage, firstAt, lastAt }: Page, { event, meteredAt }: PagedUsage): boolean {
  const { occurredAt } = event;
  const sinceFirst = meteredAt - (usage[0]?.meteredAt ?? meteredAt);
  return (
    usage.length < MOST_EVENTS &&
    Math.max(lastAt, occurredAt) - Math.min(firstAt, occurredAt) <= MOST_APART_MS &&
    Math.abs(sinceFirst) <= MOST_APART_MS
  );
}

const INTO = {
  table: "usage_page",
  columns: `account_id, start_position, version, end_position, place, metered_at, first_at, last_at,
    first_offset, last_offset, event_uuids, event_ids, meters, meter_numbers, sources, source_numbers, dimensions,
    dimension_numbers, quantities, occurred_after, credits, given_back, starts, kafka_partitions,
    kafka_offsets, versions_after, metered_after`,
};

/** Writes pages. Source: infra/postgres/migrations/0027_usage_pages.sql says what the columns mean. */
export async function writePages(transaction: Transaction, pages: readonly Page[]): Promise<void> {
  await insertRows(transaction, INTO, pages, putPage);
}

function putPage(rows: RowWriter, page: Page): void {
  const { usage, firstAt, start, version } = page;
  const [first, last] = [usage[0], usage.at(-1)];
  if (first === undefined || last === undefined) throw new Error("a page without usage");
  const at = (index: number) => usage[index] ?? first;
  const count = usage.length;
  rows.text(first.event.accountId);
  rows.int8(start);
  rows.int8(version);
  rows.int8(endOf(last));
  rows.int4(page.place);
  rows.timestamptz(first.meteredAt);
  rows.timestamptz(firstAt);
  rows.timestamptz(page.lastAt);
  const { least, most } = offsetsOf(usage);
  rows.int8(least);
  rows.int8(most);
  if (usage.every(({ event }) => isUuid(event.eventId))) {
    rows.uuidArray(count, (index) => at(index).event.eventId);
    rows.null();
  } else {
    rows.null();
    rows.textArray(count, (index) => at(index).event.eventId);
  }
  putNumbered(rows, count, (index) => at(index).event.meter);
  putNumbered(rows, count, (index) => at(index).event.source);
  putDimensions(rows, count, (index) => dimensionsJson(at(index).event.dimensions));
  rows.int8Array(count, (index) => at(index).event.quantity);
  rows.int4Array(count, (index) => at(index).event.occurredAt - firstAt);
  rows.int8Array(count, (index) => at(index).credits);
  if (usage.every(({ givenBack }) => givenBack === 0n)) rows.null();
  else rows.int8Array(count, (index) => at(index).givenBack);
  if (isContiguous(page)) rows.null();
  else rows.int8Array(count, (index) => at(index).start);
  const { partition } = first.event;
  const isOfOne = usage.every(({ event }) => event.partition === partition);
  rows.int4Array(isOfOne ? 1 : count, (index) => at(index).event.partition);
  rows.int8Array(count, (index) => at(index).event.offset);
  if (usage.every((one) => one.version === version)) rows.null();
  else rows.int4Array(count, (index) => Number(at(index).version - version));
  if (usage.every(({ meteredAt }) => meteredAt === first.meteredAt)) rows.null();
  else rows.int4Array(count, (index) => at(index).meteredAt - first.meteredAt);
}

/** Values listed once each, and for each event the place of its own, from 1 on; 0: it has none. */
interface Numbered {
  readonly values: readonly string[];
  /** Null: all have the first value. */
  readonly numbers: readonly number[] | null;
}

function numbered(count: number, at: (index: number) => string | null): Numbered {
  const first = at(0);
  let same = 1;
  while (same < count && at(same) === first) same += 1;
  if (same === count) return { values: first === null ? [] : [first], numbers: null };
  const places = new Map<string, number>();
  const numbers: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const value = at(index);
    const known = value === null ? 0 : (places.get(value) ?? places.size + 1);
    if (value !== null) places.set(value, known);
    numbers.push(known);
  }
  return { values: [...places.keys()], numbers };
}

function putNumbered(rows: RowWriter, count: number, at: (index: number) => string): void {
  const { values, numbers } = numbered(count, at);
  rows.textArray(values.length, (index) => values[index] ?? "");
  putNumbers(rows, numbers);
}

function putDimensions(rows: RowWriter, count: number, at: (index: number) => string | null): void {
  const { values, numbers } = numbered(count, at);
  if (values.length === 0) rows.null();
  else rows.jsonbArray(values.length, (index) => values[index] ?? "");
  putNumbers(rows, numbers);
}

function putNumbers(rows: RowWriter, numbers: Numbered["numbers"]): void {
  if (numbers === null) rows.null();
  else rows.int2Array(numbers.length, (index) => numbers[index] ?? 0);
}

function offsetsOf(usage: readonly PagedUsage[]): { least: bigint; most: bigint } {
  let least = usage[0]?.event.offset ?? 0n;
  let most = least;
  for (const { event } of usage) {
    if (event.offset < least) least = event.offset;
    if (event.offset > most) most = event.offset;
  }
  return { least, most };
}

function isContiguous({ usage, start }: Page): boolean {
  let end = start;
  return usage.every((one) => {
    const isNext = one.start === end;
    end = endOf(one);
    return isNext;
  });
}

/** Where an event's stretch ends. */
export function endOf({
  start,
  credits,
  givenBack,
}: Pick<PagedUsage, "start" | "credits" | "givenBack">): MicroCredits {
  return start + credits - givenBack;
}

/** As jsonb is written; null: there are none. */
export function dimensionsJson(dimensions: Readonly<Record<string, string>>): string | null {
  for (const _ in dimensions) return JSON.stringify(dimensions);
  return null;
}

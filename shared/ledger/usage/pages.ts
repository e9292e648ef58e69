import type { Instant } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import { type DrawnEvent, drawnLines } from "../../core/usage/drawn-lines.ts";
import { identityOf, type ReceivedEvent } from "../../core/usage/usage-event.ts";
import type { Transaction } from "../postgres/database.ts";
import type { RowWriter } from "../postgres/insert-rows.ts";
import { isUuid } from "./event-key.ts";
import type { ReceivedLine } from "./event-rows.ts";
import { insertPages, type PageRow } from "./page-row.ts";

/** In lines of events. Three such pages fill a block of Postgres; who looks for one event reads no more than these. */
export const MOST_LINES = 48;
/** The most milliseconds that an integer holds. */
export const MOST_APART_MS = 2 ** 31 - 1;

/** By which transaction usage was drawn. */
interface DrawnBy {
  /** The account's version after the transaction. */
  readonly version: bigint;
  readonly meteredAt: Instant;
  /** The holds of its account that took usage; null: not known. */
  readonly holdsUsed: ReadonlySet<string> | null;
}

/** A line of an event as it was drawn. */
export interface PagedUsage extends DrawnBy {
  readonly event: ReceivedLine;
  readonly credits: MicroCredits;
  readonly givenBack: MicroCredits;
  readonly start: MicroCredits;
}

/** The lines of an event that a transaction drew. */
export function pagedLines(
  drawn: DrawnEvent & { readonly event: ReceivedEvent },
  by: DrawnBy,
): PagedUsage[] {
  const { quantities: _, ...event } = drawn.event;
  return drawnLines(drawn).map(({ meter, quantity, ...stretch }) => {
    return { event: { ...event, meter, quantity }, ...stretch, ...by };
  });
}

/** Whether a line goes on with the event of the one before it, which was read from the same message. */
export function goesOn({ event }: PagedUsage, before: PagedUsage | undefined): boolean {
  return (
    before !== undefined &&
    event.offset === before.event.offset &&
    event.partition === before.event.partition &&
    identityOf(event) === identityOf(before.event)
  );
}

/** Where a page is among those of its account: where the first event written to it began to draw. */
export interface PageKey {
  readonly start: MicroCredits;
  readonly version: bigint;
  /** How many lines of that one's transaction are on pages before this one. */
  readonly place: number;
}

/** Usage of one account, in the order in which it drew, that makes one row; at least one event. */
export interface Page extends PageKey {
  readonly usage: readonly PagedUsage[];
  /** The range of `occurred_at`. */
  readonly firstAt: Instant;
  readonly lastAt: Instant;
}

/** Divides usage of one account, in the order in which it drew, into pages. The lines of an event stay together. */
export function pagesOf(usage: readonly PagedUsage[]): Page[] {
  const pages: Page[] = [];
  let page: (Page & { usage: PagedUsage[]; firstAt: Instant; lastAt: Instant }) | null = null;
  let transactionFrom = 0;
  for (const [index, one] of usage.entries()) {
    const { occurredAt } = one.event;
    if (one.version !== usage[index - 1]?.version) transactionFrom = index;
    const isWithin = goesOn(one, usage[index - 1]);
    if (page === null || (!isWithin && !fits(page, one, linesFrom(usage, index)))) {
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

/** How many lines the event has whose first one is at `index`. */
function linesFrom(usage: readonly PagedUsage[], index: number): number {
  let end = index + 1;
  for (let next = usage[end]; next !== undefined && goesOn(next, usage[end - 1]); next = usage[end])
    end += 1;
  return end - index;
}

/** True if an event of so many lines fits on a page. */
function fits(
  { usage, firstAt, lastAt }: Page,
  { event, meteredAt }: PagedUsage,
  lines: number,
): boolean {
  const { occurredAt } = event;
  const sinceFirst = meteredAt - (usage[0]?.meteredAt ?? meteredAt);
  return (
    usage.length + lines <= MOST_LINES &&
    Math.max(lastAt, occurredAt) - Math.min(firstAt, occurredAt) <= MOST_APART_MS &&
    Math.abs(sinceFirst) <= MOST_APART_MS
  );
}

/**
 * Writes pages, and those of columns. Source: infra/postgres/migrations/0027_usage_pages.sql says what the
 * table's columns mean.
 */
export async function writePages(
  transaction: Transaction,
  pages: readonly Page[],
  ofColumns: readonly PageRow[] = [],
): Promise<void> {
  const rows = pages.length === 0 ? ofColumns : [...pages.map(rowOf), ...ofColumns];
  await insertPages(transaction, rows);
}

function rowOf(page: Page): PageRow {
  const { usage, start, version, place, firstAt, lastAt } = page;
  const [first, last] = [usage[0], usage.at(-1)];
  if (first === undefined || last === undefined) throw new Error("a page without usage");
  const eventAt = (index: number) => (usage[index] ?? first).event;
  return {
    ...{ start, version, place, firstAt, lastAt, count: usage.length },
    ...{ accountId: first.event.accountId, end: endOf(last), meteredAt: first.meteredAt },
    putIds: (rows) => putIds(rows, usage),
    meterAt: (index) => eventAt(index).meter,
    sourceAt: (index) => eventAt(index).source,
    dimensionsAt: (index) => dimensionsJson(eventAt(index).dimensions),
    quantityAt: (index) => eventAt(index).quantity,
    occurredAtAt: (index) => eventAt(index).occurredAt,
    creditsAt: (index) => (usage[index] ?? first).credits,
    partitionAt: (index) => eventAt(index).partition,
    offsetAt: (index) => eventAt(index).offset,
    holds: usage.some(({ event }) => event.holdId !== null)
      ? { at: (index) => eventAt(index).holdId, used: first.holdsUsed }
      : null,
    uneven: unevenOf(page),
  };
}

function putIds(rows: RowWriter, usage: readonly PagedUsage[]): void {
  const idAt = (index: number) => usage[index]?.event.eventId ?? "";
  if (usage.every(({ event }) => isUuid(event.eventId))) {
    rows.uuidArray(usage.length, idAt);
    rows.null();
  } else {
    rows.null();
    rows.textArray(usage.length, idAt);
  }
}

function unevenOf(page: Page): PageRow["uneven"] {
  const { usage, version } = page;
  const meteredAt = usage[0]?.meteredAt;
  const isGiven = usage.some(({ givenBack }) => givenBack !== 0n);
  const isMerged = usage.some((one) => one.version !== version);
  const isLong = usage.some((one) => one.meteredAt !== meteredAt);
  return {
    givenBack: isGiven ? usage.map(({ givenBack }) => givenBack) : null,
    starts: isContiguous(page) ? null : usage.map(({ start }) => start),
    versionsAfter: isMerged ? usage.map((one) => Number(one.version - version)) : null,
    meteredAfter: isLong ? usage.map((one) => one.meteredAt - (meteredAt ?? 0)) : null,
  };
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

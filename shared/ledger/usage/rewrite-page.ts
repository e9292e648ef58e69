import type { AccountId } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import type { EventIdentity } from "../../core/usage/usage-event.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import type { EventRow } from "./event-rows.ts";
import { findRecords } from "./find-records.ts";
import {
  endOf,
  goesOn,
  type Page,
  type PagedUsage,
  type PageKey,
  pagesOf,
  writePages,
} from "./pages.ts";
import { EVENT_FIELDS } from "./records.ts";
import { identitiesOn, restoreIdentity } from "./write-identities.ts";

/** A page as it is in the books. */
export interface WrittenPage extends PageKey {
  readonly accountId: AccountId | string;
  readonly usage: readonly PagedUsage[];
}

const KEY = `
  record.page_start AS start, record.page_version AS version, record.page_place AS place`;

/** The pages that an event is on: one, if the books are as they were written. */
export async function pagesWith(
  transaction: Transaction,
  event: EventIdentity,
): Promise<WrittenPage[]> {
  const found = await findRecords<PageKey>(transaction, KEY, [event]);
  const named = found.filter(({ source }) => source === event.source);
  const keys = new Map(named.map((key) => [`${key.start} ${key.version} ${key.place}`, key]));
  const pages: WrittenPage[] = [];
  for (const key of keys.values()) pages.push(await readPage(transaction, event.accountId, key));
  return pages;
}

const AROUND = `
  SELECT start_position AS start, version, place
  FROM usage_page
  WHERE account_id = $1 AND start_position <= $2 AND end_position > $2
  ORDER BY start_position DESC, version DESC, place DESC
  LIMIT 1`;

/** Adds an event's lines, and its identity, to the page in whose stretch they drew, or to a page of their own. */
export async function addToPage(
  transaction: Transaction,
  lines: readonly PagedUsage[],
): Promise<void> {
  const [first] = lines;
  if (first === undefined) return;
  const { accountId } = first.event;
  const [key] = await queryRows<PageKey>(transaction, AROUND, [accountId, first.start]);
  if (key === undefined) {
    await writeRestored(transaction, pagesOf(lines));
    return;
  }
  const page = await readPage(transaction, accountId, key);
  const at = placeBehind(page.usage, first.start);
  const usage = [...page.usage.slice(0, at), ...lines, ...page.usage.slice(at)];
  if (!(await rewritePage(transaction, page, usage))) {
    throw new Error(`a page of account ${accountId} is gone`);
  }
}

/** How many lines a page has of the events that end at or before a position. */
function placeBehind(usage: readonly PagedUsage[], start: MicroCredits): number {
  let at = usage.findIndex((one) => endOf(one) > start);
  if (at === -1) return usage.length;
  for (let line = usage[at]; line !== undefined && goesOn(line, usage[at - 1]); line = usage[at])
    at -= 1;
  return at;
}

/** Writes pages, and has the identities of their events name them. */
async function writeRestored(transaction: Transaction, pages: readonly Page[]): Promise<void> {
  await writePages(transaction, pages);
  for (const identified of pages.flatMap(identitiesOn)) {
    await restoreIdentity(transaction, identified);
  }
}

const READ = `
  SELECT ${EVENT_FIELDS}, record.credits, coalesce(record.given_back, 0) AS "givenBack",
         record.start_position AS start, record.version, record.metered_at AS "meteredAt",
         record.hold_used AS "holdUsed"
  FROM usage_record AS record
  WHERE account_id = $1 AND page_start = $2 AND page_version = $3 AND page_place = $4
  ORDER BY record.place`;

interface Row extends EventRow, Omit<PagedUsage, "event" | "holdsUsed"> {
  readonly holdUsed: boolean | null;
}

async function readPage(
  transaction: Transaction,
  accountId: AccountId | string,
  key: PageKey,
): Promise<WrittenPage> {
  const { start, version, place } = key;
  const rows = await queryRows<Row>(transaction, READ, [accountId, start, version, place]);
  const holdsUsed = usedAmong(rows);
  const usage = rows.map((row) => {
    const { credits, givenBack, meteredAt, start, version, place, holdUsed, ...event } = row;
    return { event, credits, givenBack, meteredAt, start, version, holdsUsed };
  });
  return { accountId, start: key.start, version: key.version, place, usage };
}

/** The holds that took usage of a page; null: not known. */
function usedAmong(rows: readonly Row[]): PagedUsage["holdsUsed"] {
  const named = rows.filter(({ holdId }) => holdId !== null);
  if (named.some(({ holdUsed }) => holdUsed === null)) return null;
  return new Set(named.flatMap(({ holdId, holdUsed }) => (holdId && holdUsed ? [holdId] : [])));
}

const REMOVE = `
  DELETE FROM usage_page
  WHERE account_id = $1 AND start_position = $2 AND version = $3 AND place = $4
    AND cardinality(quantities) = $5`;

/**
 * Writes a page anew with other usage, under its key; what does not fit on one page follows on others.
 * False: it is no longer in the books as it was read.
 */
export async function rewritePage(
  transaction: Transaction,
  page: WrittenPage,
  usage: readonly PagedUsage[],
): Promise<boolean> {
  const { accountId, start, version, place } = page;
  const values = [accountId, start, version, place, page.usage.length];
  const { rowCount } = await transaction.query(REMOVE, values);
  if (rowCount !== 1) return false;
  const [first, ...others] = pagesOf(usage);
  if (first !== undefined) {
    await writeRestored(transaction, [{ ...first, start, version, place }, ...others]);
  }
  return true;
}

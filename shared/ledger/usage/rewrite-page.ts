import type { AccountId } from "../../core/line/account.ts";
import type { EventIdentity } from "../../core/usage/usage-event.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import { findRecords } from "./find-records.ts";
import { identitiesOn, restoreIdentity } from "./identities.ts";
import { endOf, type Page, type PagedUsage, type PageKey, pagesOf, writePages } from "./pages.ts";
import { EVENT_FIELDS } from "./records.ts";

/** A page as it is in the books. */
export interface WrittenPage extends PageKey {
  readonly accountId: AccountId | string;
  readonly usage: readonly PagedUsage[];
}

const KEY = `
  record.page_start AS start, record.page_version AS version, record.page_place AS place`;

/** The page that an event is on; null: there is none. */
export async function pageOf(
  transaction: Transaction,
  event: EventIdentity,
): Promise<WrittenPage | null> {
  type Row = PageKey & { readonly source: string };
  const found = await findRecords<Row>(transaction, `${KEY}, record.source`, [event]);
  const key = found.find(({ source }) => source === event.source);
  return key === undefined ? null : readPage(transaction, event.accountId, key);
}

const AROUND = `
  SELECT start_position AS start, version, place
  FROM usage_page
  WHERE account_id = $1 AND start_position <= $2 AND end_position > $2
  ORDER BY start_position DESC, version DESC, place DESC
  LIMIT 1`;

/** Adds a record, and its identity, to the page in whose stretch it drew, or to a page of its own. */
export async function addToPage(transaction: Transaction, record: PagedUsage): Promise<void> {
  const { accountId } = record.event;
  const [key] = await queryRows<PageKey>(transaction, AROUND, [accountId, record.start]);
  if (key === undefined) {
    await writeRestored(transaction, pagesOf([record]));
    return;
  }
  const page = await readPage(transaction, accountId, key);
  const before = page.usage.filter((one) => endOf(one) <= record.start);
  const after = page.usage.slice(before.length);
  if (!(await rewritePage(transaction, page, [...before, record, ...after]))) {
    throw new Error(`a page of account ${accountId} is gone`);
  }
}

/** Writes pages, and has the identities of their events name them. */
async function writeRestored(transaction: Transaction, pages: readonly Page[]): Promise<void> {
  await writePages(transaction, pages);
  for (const identified of pages.flatMap(identitiesOn)) {
    await restoreIdentity(transaction, identified);
  }
}

const READ = `
  SELECT ${EVENT_FIELDS}, record.kafka_partition AS partition, record.kafka_offset AS offset,
         record.credits, coalesce(record.given_back, 0) AS "givenBack",
         record.start_position AS start, record.version, record.metered_at AS "meteredAt"
  FROM usage_record AS record
  WHERE account_id = $1 AND page_start = $2 AND page_version = $3 AND page_place = $4
  ORDER BY record.place`;

async function readPage(
  transaction: Transaction,
  accountId: AccountId | string,
  key: PageKey,
): Promise<WrittenPage> {
  const { start, version, place } = key;
  type Row = PagedUsage["event"] & Omit<PagedUsage, "event">;
  const rows = await queryRows<Row>(transaction, READ, [accountId, start, version, place]);
  const usage = rows.map(({ credits, givenBack, meteredAt, start, version, ...event }) => {
    return { event, credits, givenBack, meteredAt, start, version };
  });
  return { accountId, start: key.start, version: key.version, place, usage };
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

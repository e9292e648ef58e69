import type { RecordedUsage } from "../../core/history/verify-usage.ts";
import type { Instant } from "../../core/line/account.ts";
import type { DrawnEvent } from "../../core/usage/drawn-lines.ts";
import { identityOf, type ReceivedEvent } from "../../core/usage/usage-event.ts";
import type { Database, Transaction } from "../postgres/database.ts";
import { addMonth } from "../usage/add-usage-month.ts";
import { type PagedUsage, pagedLines } from "../usage/pages.ts";
import { firstKeptMonth } from "../usage/past-usage.ts";
import { addToPage, pagesWith, rewritePage } from "../usage/rewrite-page.ts";
import { type Repair, repairOnce } from "./repairs.ts";

/** What topic and line show that the record of an event was. */
export interface OriginalRecord extends DrawnEvent {
  readonly event: ReceivedEvent;
  /** The account's version after the transaction that drew it, or one near it. */
  readonly version: bigint;
  readonly drawnAt: Instant;
}

/**
 * Replaces a usage record (null: it is missing) by the original (null: there was none). The line does not
 * move. False: the books no longer have the record as it was found.
 */
export async function restoreRecord(
  database: Database,
  record: RecordedUsage | null,
  original: OriginalRecord | null,
  repair: Repair,
): Promise<boolean> {
  return repairOnce(database, repair, async (transaction) => {
    if (record !== null && !(await removeRecord(transaction, record))) return false;
    if (original !== null) await addRecord(transaction, original);
    return true;
  });
}

async function removeRecord(transaction: Transaction, record: RecordedUsage): Promise<boolean> {
  const left = [...record.lineCredits];
  const isOfIt = ({ event }: PagedUsage) =>
    identityOf(event) === identityOf(record) &&
    event.partition === record.partition &&
    event.offset === record.offset;
  /** Each of its lines once, by what it cost. */
  const isIt = (one: PagedUsage) => {
    const at = isOfIt(one) ? left.indexOf(one.credits) : -1;
    if (at !== -1) left.splice(at, 1);
    return at !== -1;
  };
  for (const page of await pagesWith(transaction, record)) {
    const rest = page.usage.filter((one) => !isIt(one));
    if (rest.length === page.usage.length) continue;
    if (!(await rewritePage(transaction, page, rest))) return false;
  }
  return left.length === 0;
}

async function addRecord(
  transaction: Transaction,
  { drawnAt, version, ...original }: OriginalRecord,
): Promise<void> {
  // In a month that was dropped, it would be dropped again.
  const meteredAt = Math.max(drawnAt, (await firstKeptMonth(transaction)) ?? drawnAt);
  await addMonth(transaction, meteredAt);
  await addToPage(transaction, pagedLines(original, { version, meteredAt, holdsUsed: null }));
}

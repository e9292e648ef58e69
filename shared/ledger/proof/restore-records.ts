import type { RecordedUsage } from "../../core/history/verify-usage.ts";
import type { Instant } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import { identityOf, type ReceivedEvent } from "../../core/usage/usage-event.ts";
import type { Database, Transaction } from "../postgres/database.ts";
import { addMonth } from "../usage/add-usage-month.ts";
import type { PagedUsage } from "../usage/pages.ts";
import { firstKeptMonth } from "../usage/past-usage.ts";
import { addToPage, pageOf, rewritePage } from "../usage/rewrite-page.ts";
import { type Repair, repairOnce } from "./repairs.ts";

/** What topic and line show that a record was. */
export interface OriginalRecord {
  readonly event: ReceivedEvent;
  readonly credits: MicroCredits;
  readonly givenBack: MicroCredits;
  readonly start: MicroCredits;
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
  const page = await pageOf(transaction, record);
  if (page === null) return false;
  const isIt = ({ event, credits }: PagedUsage) =>
    identityOf(event) === identityOf(record) &&
    credits === record.credits &&
    event.partition === record.partition &&
    event.offset === record.offset;
  const rest = page.usage.filter((one) => !isIt(one));
  if (rest.length === page.usage.length) return false;
  return rewritePage(transaction, page, rest);
}

async function addRecord(
  transaction: Transaction,
  { drawnAt, ...original }: OriginalRecord,
): Promise<void> {
  // In a month that was dropped, it would be dropped again.
  const meteredAt = Math.max(drawnAt, (await firstKeptMonth(transaction)) ?? drawnAt);
  const record: PagedUsage = { ...original, meteredAt };
  await addMonth(transaction, meteredAt);
  await addToPage(transaction, record);
}

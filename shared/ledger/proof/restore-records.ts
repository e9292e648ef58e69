import type { RecordedUsage } from "../../core/history/verify-usage.ts";
import type { Instant } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import type { ReceivedEvent } from "../../core/usage/usage-event.ts";
import { type Database, inTransaction, type Transaction } from "../postgres/database.ts";
import { writeUsageRecords } from "../usage/records.ts";
import { type Repair, recordRepair } from "./repairs.ts";

/**
 * Puts usage records back to what the topic tells and the line has. The line is not moved: what they
 * say was drawn, was drawn. Each returns false where the books are no longer as they were found.
 */

/** What topic and line say that a record was. */
export interface OriginalRecord {
  readonly event: ReceivedEvent;
  readonly credits: MicroCredits;
  readonly start: MicroCredits;
  readonly drawnAt: Instant;
}

/** A record that is gone, back where its draw says it stood. */
export async function restoreRecord(
  database: Database,
  told: OriginalRecord,
  repair: Repair,
): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    await writeUsageRecords(transaction, [told], told.drawnAt);
    await recordRepair(transaction, repair);
    return true;
  });
}

/** A record that says something else than its event did. */
export async function correctRecord(
  database: Database,
  record: RecordedUsage,
  told: OriginalRecord,
  repair: Repair,
): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    if (!(await removeRow(transaction, record))) return false;
    await writeUsageRecords(transaction, [told], told.drawnAt);
    await recordRepair(transaction, repair);
    return true;
  });
}

/** A record that never drew, of no event; it is kept in the repair's detail. */
export async function removeRecord(
  database: Database,
  record: RecordedUsage,
  repair: Repair,
): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    if (!(await removeRow(transaction, record))) return false;
    await recordRepair(transaction, repair);
    return true;
  });
}

const REMOVE = `
  DELETE FROM usage_record
  WHERE event_id = $1 AND account_id = $2 AND credits = $3
    AND kafka_partition = $4 AND kafka_offset = $5`;

async function removeRow(transaction: Transaction, record: RecordedUsage): Promise<boolean> {
  const { eventId, accountId, credits, partition, offset } = record;
  const { rowCount } = await transaction.query(REMOVE, [
    eventId,
    accountId,
    credits,
    partition,
    offset,
  ]);
  return rowCount === 1;
}

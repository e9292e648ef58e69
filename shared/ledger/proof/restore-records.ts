import type { RecordedUsage } from "../../core/history/verify-usage.ts";
import type { Instant } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import type { ReceivedEvent } from "../../core/usage/usage-event.ts";
import type { Database, Transaction } from "../postgres/database.ts";
import { writeUsageRecords } from "../usage/records.ts";
import { type Repair, repairOnce } from "./repairs.ts";

/** What topic and line show that a record was. */
export interface OriginalRecord {
  readonly event: ReceivedEvent;
  readonly credits: MicroCredits;
  readonly givenBack: MicroCredits;
  readonly start: MicroCredits;
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
    if (record !== null && !(await removeRow(transaction, record))) return false;
    if (original !== null) await writeUsageRecords(transaction, [original], original.drawnAt);
    return true;
  });
}

const REMOVE = `
  DELETE FROM usage_record
  WHERE event_id = $1 AND account_id = $2 AND source = $3 AND credits = $4
    AND kafka_partition = $5 AND kafka_offset = $6`;

async function removeRow(transaction: Transaction, record: RecordedUsage): Promise<boolean> {
  const { eventId, accountId, source, credits, partition, offset } = record;
  const values = [eventId, accountId, source, credits, partition, offset];
  const { rowCount } = await transaction.query(REMOVE, values);
  return rowCount === 1;
}

import type { Instant } from "../../core/line/account.ts";
import { type Database, inTransaction, queryRow, sqlState } from "../postgres/database.ts";

const LOCK_NOT_AVAILABLE = "55P03";

const DROP = "SELECT month, events FROM drop_usage_month(to_timestamp($1 / 1000.0))";

/** A month whose usage was dropped: its first instant in UTC. */
export interface DroppedMonth {
  readonly month: Instant;
  readonly events: bigint;
}

/**
 * Drops the pages of the oldest month, if all of it is before an instant, and keeps its sums, in one
 * transaction. `none`: no month is that old. `busy`: pages are being read for long; nobody is held up, and
 * nothing has changed.
 */
export async function dropUsageMonth(
  database: Database,
  before: Instant,
): Promise<DroppedMonth | "none" | "busy"> {
  try {
    return await inTransaction(
      database,
      async (transaction) =>
        (await queryRow<DroppedMonth>(transaction, DROP, [before])) ?? ("none" as const),
    );
  } catch (error) {
    if (sqlState(error) === LOCK_NOT_AVAILABLE) return "busy";
    throw error;
  }
}

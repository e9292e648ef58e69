import { type HousekeepingRule, keptSince, retentionText } from "../../core/history/retention.ts";
import type { Instant } from "../../core/line/account.ts";
import type { Database } from "../postgres/database.ts";
import { deleteOldRows, type FirstOffsets } from "./delete-old-rows.ts";
import { type HousekeepingRun, recordHousekeeping } from "./runs.ts";

/** The instant by which housekeeping judges, and what usage has been metered by then. */
export interface HousekeepingState {
  readonly now: Instant;
  /** All usage published before it is metered; null: unknown. */
  readonly completeUntil: Instant | null;
  readonly firstOffsets: FirstOffsets;
}

/**
 * Deletes the rows that are past their retention, table by table, and yields what it did to each: rows
 * whose use ended before `before`. Each step is a small transaction of its own, so a run may be broken off,
 * repeated, or run twice at once. It ends early, and says so, once `signal` is aborted.
 */
export async function* keepHouse(
  database: Database,
  rules: readonly HousekeepingRule[],
  state: HousekeepingState,
  signal: AbortSignal,
): AsyncGenerator<HousekeepingRun & { readonly before: Instant | null }> {
  for (const rule of rules) {
    const before = keptSince(rule, state);
    const run = { table: rule.table, keptFor: retentionText(rule.kept), ranAt: state.now };
    // So a step that fails does not leave an older run as the last one.
    await recordHousekeeping(database, { ...run, deleted: 0n, finished: before === null });
    let deleted = 0;
    let left = before === null ? "nothing" : "more";
    while (before !== null && left === "more" && !signal.aborted) {
      const step = await deleteOldRows(database, rule.table, before, state);
      deleted += step.deleted;
      left = step.left;
    }
    const done = { ...run, deleted: BigInt(deleted), finished: left === "nothing" };
    await recordHousekeeping(database, done);
    yield { ...done, before };
  }
}

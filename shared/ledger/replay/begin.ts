import { TOPICS } from "../../core/text/topics.ts";
import { startOffsets } from "../books/consumer-offset.ts";
import { copyRows } from "../postgres/copy-rows.ts";
import type { Queryable, Transaction } from "../postgres/database.ts";
import { COPIED_TABLES, listColumns, listTables } from "./book-tables.ts";

/**
 * The consumer of a replay. Only a finished replay has the offsets of metering, so an unfinished one is
 * never taken for books.
 */
export const REPLAY_READER = { consumer: "replay", topic: TOPICS.usageEvents } as const;

export type TargetProblem =
  | { readonly kind: "foreign_tables"; readonly tables: readonly string[] }
  /** A replay into it is unfinished. */
  | { readonly kind: "part_of_a_replay" }
  | { readonly kind: "not_empty"; readonly table: string };

/** What set-up writes. */
const HAS_ROWS_WHEN_EMPTY = new Set([
  "migration",
  "oldest_version",
  "charge_limit",
  "usage_generation",
  "budget_kept",
]);

/** Why books cannot be built in a database; null: they can. */
export async function targetProblem(target: Queryable): Promise<TargetProblem | null> {
  const { all, foreign } = await listTables(target);
  if (foreign.length > 0) return { kind: "foreign_tables", tables: foreign };
  if (all.includes("consumer_offset") && (await isUnfinishedReplay(target))) {
    return { kind: "part_of_a_replay" };
  }
  for (const table of all) {
    if (HAS_ROWS_WHEN_EMPTY.has(table)) continue;
    const { rowCount } = await target.query(`SELECT FROM ${table} LIMIT 1`);
    if (rowCount !== 0) return { kind: "not_empty", table };
  }
  return null;
}

const IS_PART = "SELECT FROM consumer_offset WHERE consumer = $1 LIMIT 1";

/** True for books of an unfinished replay. */
export async function isUnfinishedReplay(database: Queryable): Promise<boolean> {
  const { rowCount } = await database.query(IS_PART, [REPLAY_READER.consumer]);
  return rowCount !== 0;
}

const LOCK = "SELECT pg_advisory_xact_lock(hashtext('drawdown.replay'))";

// Already low, so that metering publishes no low balance; nothing is due, so that it settles nothing.
const ACCOUNTS = {
  table: "account",
  columns:
    "account_id, threshold, overdraft, low_balance, time_zone, currency, created_at, budgets",
  query:
    "SELECT account_id, threshold, overdraft, true, time_zone, currency, created_at, budgets FROM account",
};

/**
 * A rebuilt line has none of the gaps that repairs have corrected, and the topic may still have what was erased:
 * all of an erased account is looked at again.
 */
const BEGUN_ANEW: ReadonlySet<string> = new Set(["line_by", "account_version"]);

/**
 * Copies what a replay does not build: the tables that do not follow from usage and entries, and accounts
 * without credits; and stores the offsets to start from. Returns why not, if the target is not empty.
 */
export async function beginReplay(
  source: Transaction,
  target: Transaction,
  starts: ReadonlyMap<number, bigint>,
  signal: AbortSignal,
): Promise<TargetProblem | null> {
  await target.query(LOCK);
  const problem = await targetProblem(target);
  if (problem !== null) return problem;
  // Set-up records them in new books.
  await target.query("DELETE FROM charge_limit");
  await target.query("DELETE FROM budget_kept");
  for (const table of COPIED_TABLES) {
    signal.throwIfAborted();
    const columns = await listColumns(target, table);
    const values = columns.map((column) => (BEGUN_ANEW.has(column) ? "0::bigint" : column));
    await copyRows(source, target, {
      ...{ table, columns: columns.join(", ") },
      query: `SELECT ${values.join(", ")} FROM ${table}`,
    });
  }
  await copyRows(source, target, ACCOUNTS);
  await startOffsets(target, REPLAY_READER, starts);
  return null;
}

import type { Instant } from "../../core/line/account.ts";
import { type Database, queryRow } from "../postgres/database.ts";

const COUNT = `
  SELECT count(*)::integer, min(next_due_at) AS since
  FROM (
    SELECT next_due_at
    FROM account
    WHERE settle_at <= to_timestamp($1 / 1000.0)
    ORDER BY settle_at
    LIMIT $2
  ) AS due`;

/** Accounts on which something is due. */
export interface DueAccounts {
  readonly count: number;
  /** When the first became due; null: nothing is due. */
  readonly since: Instant | null;
}

/** Counts accounts that are due, up to `atMost`. After a run of the scheduler they wait for usage. */
export async function countDue(
  database: Database,
  clock: Instant,
  atMost: number,
): Promise<DueAccounts> {
  const due = await queryRow<DueAccounts>(database, COUNT, [clock, atMost]);
  return due ?? { count: 0, since: null };
}

import type { Instant } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import { amountsAsText } from "../postgres/amounts-as-text.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import {
  type Database,
  inTransaction,
  type Queryable,
  queryRows,
  type Transaction,
} from "../postgres/database.ts";

/** A repair as it is recorded. */
export interface Repair {
  readonly accountId: string;
  /** The difference's identity within the account. */
  readonly difference: string;
  readonly what: string;
  readonly by: string;
  readonly at: Instant;
  /** How far position was ahead of usage and entries, where an entry corrects the balance for it. */
  readonly lineBy?: MicroCredits;
  /** What the books had before. */
  readonly detail: unknown;
}

const NOTE = `
  INSERT INTO repair (account_id, difference, repaired_at, repaired_by, what, line_by, detail)
  VALUES ($1, $2, to_timestamp($3 / 1000.0), $4, $5, $6, $7)
  ON CONFLICT DO NOTHING`;

/** Records a repair: in its transaction, or after a transaction that is safe to repeat. */
export async function recordRepair(
  transaction: Queryable,
  { accountId, difference, at, by, what, lineBy = 0n, detail }: Repair,
): Promise<void> {
  const json = JSON.stringify(detail, amountsAsText);
  await transaction.query(NOTE, [accountId, difference, at, by, what, lineBy, json]);
}

/**
 * Runs a repair and records it, in one transaction; `work` returns false where the books have changed
 * since the difference was found, and nothing is recorded.
 */
export async function repairOnce(
  database: Database,
  repair: Repair,
  work: (transaction: Transaction) => Promise<boolean>,
): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    const isDone = await work(transaction);
    if (isDone) await recordRepair(transaction, repair);
    return isDone;
  });
}

const FIND = `
  SELECT account_id AS "accountId", difference
  FROM unnest($1::text[], $2::text[]) AS named (account_id, difference)
  JOIN repair USING (account_id, difference)`;

/** Which of these differences were repaired, as `account/difference`. */
export async function findRepairs(
  transaction: Transaction,
  named: readonly { readonly accountId: string; readonly difference: string }[],
): Promise<Set<string>> {
  if (named.length === 0) return new Set();
  type Row = Pick<Repair, "accountId" | "difference">;
  const rows = await queryRows<Row>(transaction, FIND, columnsOf(named, "accountId", "difference"));
  return new Set(rows.map(({ accountId, difference }) => `${accountId}/${difference}`));
}

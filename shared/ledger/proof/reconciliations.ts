import type { Instant } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import { amountsAsText } from "../postgres/amounts-as-text.ts";
import { type Queryable, queryRow, type Transaction } from "../postgres/database.ts";

/** The result of a run over new usage. */
export interface StoredReconciliation {
  readonly at: Instant;
  /** The offsets at which the next run begins, by partition: all before is verified. */
  readonly places: ReadonlyMap<number, bigint>;
  /** Messages compared, and how many of them were correct. */
  readonly messages: bigint;
  readonly verified: bigint;
  /** The cost of the correct records. */
  readonly credits: MicroCredits;
  readonly differences: bigint;
}

const TRY_LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('drawdown.reconciliation')) AS locked";

/** Takes the lock that lets one process reconcile, until this transaction ends. False: another has it. */
export async function becomeReconciler(transaction: Transaction): Promise<boolean> {
  await transaction.query("SET LOCAL idle_in_transaction_session_timeout = 0");
  return (await queryRow<{ locked: boolean }>(transaction, TRY_LOCK))?.locked === true;
}

const LAST = `
  SELECT reconciled_at AS at, places, messages, verified, credits::text AS credits, differences
  FROM reconciliation
  ORDER BY reconciled_at DESC
  LIMIT 1`;

/** The credits of all accounts may exceed an int8. */
type Row = Omit<StoredReconciliation, "places" | "credits"> & {
  readonly places: Record<string, string>;
  readonly credits: string;
};

/** The last run; null: there was none. */
export async function readLastReconciliation(
  database: Queryable,
): Promise<StoredReconciliation | null> {
  const row = await queryRow<Row>(database, LAST);
  if (row === null) return null;
  const { places, credits, ...run } = row;
  const offsets = Object.entries(places).map(([key, offset]): [number, bigint] => [
    Number(key),
    BigInt(offset),
  ]);
  return { ...run, places: new Map(offsets), credits: BigInt(credits) };
}

const STORE = `
  INSERT INTO reconciliation (reconciled_at, places, messages, verified, credits, differences, listed)
  VALUES (to_timestamp($1 / 1000.0), $2, $3, $4, $5, $6, $7)`;

/** Stores a run; `listed` are its first differences. */
export async function storeReconciliation(
  transaction: Transaction,
  run: StoredReconciliation,
  listed: readonly unknown[],
): Promise<void> {
  const { at, places, messages, verified, credits, differences } = run;
  const json = (value: unknown) => JSON.stringify(value, amountsAsText);
  await transaction.query(STORE, [
    ...[at, json(Object.fromEntries(places)), messages, verified, credits, differences],
    json(listed),
  ]);
}

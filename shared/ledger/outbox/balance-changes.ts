import type { Account, Instant } from "../../core/line/account.ts";
import { textArray } from "../postgres/array-literal.ts";
import {
  type Database,
  inTransaction,
  queryRow,
  queryRows,
  type Transaction,
} from "../postgres/database.ts";
import { type PublishedBudgets, readPublishedBudgets, type TooMany } from "./published-budgets.ts";

/** An account's newest state, as published on `billing.balances`; the version is that of the state. */
export type BalanceState = Pick<
  Account,
  "accountId" | "version" | "granted" | "position" | "held" | "overdraft"
> & { readonly budgets: readonly PublishedBudgets[] };

const NOTE = "INSERT INTO balance_change (account_ids) VALUES ($1)";

/**
 * Queues the new states of moved accounts to be published, in the transaction that moves them: one row
 * for all.
 */
export async function queueBalanceChanges(
  transaction: Transaction,
  accounts: readonly Pick<Account, "accountId">[],
): Promise<void> {
  if (accounts.length === 0) return;
  const ids = textArray(accounts.map((account) => account.accountId));
  await transaction.query({ name: "note-balance-changes", text: NOTE, values: [ids] });
}

const LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('drawdown.balances')) AS locked";

/**
 * True: this is the only publisher of balances until the transaction ends. One that stands still loses the
 * lock without noticing: what it still sends, Kafka refuses.
 */
export async function becomeBalancePublisher(transaction: Transaction): Promise<boolean> {
  return (await queryRow<{ locked: boolean }>(transaction, LOCK))?.locked === true;
}

const WAITING = `
  WITH waiting AS (
    SELECT change_id, cardinality(account_ids) AS accounts
    FROM balance_change
    LIMIT $1
  ), counted AS (
    SELECT change_id, accounts,
      sum(accounts) OVER (ORDER BY change_id) AS so_far,
      count(*) OVER () AS "lookedAt"
    FROM waiting
  )
  SELECT change_id AS "changeId", accounts, "lookedAt"
  FROM counted
  WHERE so_far <= $2 OR so_far = accounts`;

const DIVIDE = `
  WITH taken AS (
    DELETE FROM balance_change
    WHERE change_id = ANY($1::uuid[])
    RETURNING account_ids
  ), distinctly AS (
    SELECT DISTINCT account_id FROM taken, unnest(account_ids) AS account_id
  ), numbered AS (
    SELECT account_id, (row_number() OVER (ORDER BY account_id) - 1) / $2 AS portion
    FROM distinctly
  )
  INSERT INTO balance_change (account_ids)
  SELECT array_agg(account_id) FROM numbered GROUP BY portion
  RETURNING change_id AS "changeId"`;

/** A transaction's changes that wait to be published. */
interface Waiting {
  readonly changeId: string;
  readonly accounts: number;
}

/** How many transactions and accounts are looked at; a single transaction always whole. */
export interface MostChanges {
  readonly transactions: number;
  readonly accounts: number;
}

/** Changes that wait to be published, also those that another process is publishing. */
export interface WaitingChanges {
  readonly changes: readonly Waiting[];
  /** No others waited. */
  readonly isAll: boolean;
}

/** Looks for changes that wait, within limits. */
export async function waitingBalanceChanges(
  database: Database,
  { transactions, accounts }: MostChanges,
): Promise<WaitingChanges> {
  type Looked = Waiting & { readonly lookedAt: bigint };
  const limits = [transactions, accounts];
  const changes = await queryRows<Looked>(database, WAITING, limits, "waiting-balance-changes");
  const lookedAt = Number(changes[0]?.lookedAt ?? 0);
  return { changes, isAll: lookedAt < transactions && changes.length === lookedAt };
}

const NOW = "SELECT floor(extract(epoch FROM statement_timestamp()) * 1000)::float8 AS now";

/** The time by the clock of Postgres: a look for changes after it sees all that was committed before it. */
export async function timeOfBooks(database: Database): Promise<Instant> {
  const row = await queryRow<{ now: number }>(database, NOW);
  if (row === null) throw new Error("Postgres tells no time");
  return row.now;
}

/**
 * Gathers changes into portions of a number of accounts, each account in one of them, and returns the
 * changes of each portion. Null: another process publishes.
 */
export async function divideBalanceChanges(
  database: Database,
  waiting: readonly Waiting[],
  portion: number,
): Promise<string[][] | null> {
  if (waiting.length === 0) return [];
  const changeIds = waiting.map(({ changeId }) => changeId);
  const accounts = waiting.reduce((sum, change) => sum + change.accounts, 0);
  if (accounts <= portion) return [changeIds];
  return inTransaction(database, async (transaction) => {
    if (!(await becomeBalancePublisher(transaction))) return null;
    const values = [textArray(changeIds), portion];
    const divided = await queryRows<Pick<Waiting, "changeId">>(transaction, DIVIDE, values);
    return divided.map(({ changeId }) => [changeId]);
  });
}

const TAKE = `
  WITH taken AS (
    DELETE FROM balance_change
    WHERE change_id = ANY($1::uuid[])
    RETURNING account_ids
  )
  SELECT DISTINCT account_id AS "accountId" FROM taken, unnest(account_ids) AS account_id`;

const STATES = `
  SELECT account_id AS "accountId", version + hold_changes AS version, granted, position, held,
         overdraft, budgets::text AS budgets, time_zone AS "timeZone"
  FROM account
  WHERE account_id = ANY($1::text[])`;

/**
 * Dequeues changes and returns the newest state of each account in them. The states are read after the
 * changes: what moves an account later leaves a change of its own.
 */
export async function takeBalanceChanges(
  transaction: Transaction,
  changeIds: readonly string[],
  now: Instant,
  tooMany: TooMany,
): Promise<BalanceState[]> {
  type Taken = Pick<BalanceState, "accountId">;
  const values = [textArray(changeIds)];
  const taken = await queryRows<Taken>(transaction, TAKE, values, "take-balance-changes");
  if (taken.length === 0) return [];
  const ids = textArray(taken.map(({ accountId }) => accountId));
  type Row = Omit<BalanceState, "budgets"> & Pick<Account, "budgets" | "timeZone">;
  const states = await queryRows<Row>(transaction, STATES, [ids], "balance-states");
  const budgets = await readPublishedBudgets(transaction, states, now, tooMany);
  return states.map((state) => ({ ...state, budgets: budgets.get(state.accountId) ?? [] }));
}

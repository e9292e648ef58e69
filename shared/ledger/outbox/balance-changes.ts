import type { Account } from "../../core/line/account.ts";
import { textArray } from "../postgres/array-literal.ts";
import { queryRow, queryRows, type Transaction } from "../postgres/database.ts";

/** An account's newest state, as published on `billing.balances`. */
export type BalanceState = Pick<Account, "accountId" | "version" | "granted" | "position">;

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

const TAKE = `
  WITH waiting AS (
    SELECT change_id, cardinality(account_ids) AS accounts
    FROM balance_change
    LIMIT $1
  ), counted AS (
    SELECT change_id, accounts, sum(accounts) OVER (ORDER BY change_id) AS so_far
    FROM waiting
  ), taken AS (
    DELETE FROM balance_change
    WHERE change_id IN (
      SELECT change_id FROM counted WHERE so_far <= $2 OR so_far = accounts
    )
    RETURNING account_ids
  )
  SELECT DISTINCT account_id AS "accountId" FROM taken, unnest(account_ids) AS account_id`;

const STATES = `
  SELECT account_id AS "accountId", version, granted, position
  FROM account
  WHERE account_id = ANY($1::text[])`;

/**
 * Dequeues changes up to a number of transactions and accounts (a single transaction always whole) and
 * returns the newest state of each account. Empty, too, while another process publishes: one at a time,
 * so that an older state never follows a newer one.
 */
export async function takeBalanceChanges(
  transaction: Transaction,
  most: { readonly transactions: number; readonly accounts: number },
): Promise<BalanceState[]> {
  const lock = await queryRow<{ locked: boolean }>(transaction, LOCK);
  if (lock?.locked !== true) return [];
  const limits = [most.transactions, most.accounts];
  type Taken = Pick<BalanceState, "accountId">;
  const taken = await queryRows<Taken>(transaction, TAKE, limits, "take-balance-changes");
  const ids = textArray(taken.map(({ accountId }) => accountId));
  return queryRows<BalanceState>(transaction, STATES, [ids], "balance-states");
}

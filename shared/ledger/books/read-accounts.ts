import type { Account } from "../../core/line/account.ts";
import { textArray } from "../postgres/array-literal.ts";
import { type Queryable, queryRows, type Transaction } from "../postgres/database.ts";

/** The columns of an `Account`. */
export const ACCOUNT_COLUMNS = `
  account_id AS "accountId", granted, position, version, threshold, low_balance AS "lowBalance",
  crossings, waiting_crossing AS "waitingCrossing", entries, time_zone AS "timeZone", next_due_at AS "nextDueAt", settle_at AS "settleAt",
  expired_until AS "expiredUntil", spent::text AS spent, held, hold_changes AS "holdChanges",
  budgets::text AS budgets, overdraft, alert_at AS "alertAt"`;

const READ = `
  SELECT ${ACCOUNT_COLUMNS}
  FROM account
  WHERE account_id = ANY($1::text[])`;

/** The accounts of these ids that exist, by id. */
export async function readAccounts(
  transaction: Queryable,
  ids: Iterable<string>,
): Promise<Map<string, Account>> {
  const rows = await queryRows<Account>(transaction, READ, [textArray([...ids])], "read-accounts");
  return new Map(rows.map((account) => [account.accountId, account]));
}

const LOCK = `
  UPDATE account
  SET version = version
  FROM unnest($1::text[]) AS locked (id)
  WHERE account_id = locked.id
  RETURNING ${ACCOUNT_COLUMNS}`;

/**
 * Locks account rows until the transaction ends, in id order so that writers do not deadlock, and returns
 * them. It is an update that changes nothing: a distributed Postgres does not lock many rows otherwise.
 */
export async function lockAccounts(
  transaction: Transaction,
  ids: readonly string[],
): Promise<Account[]> {
  return queryRows<Account>(transaction, LOCK, [textArray([...ids].sort())], "lock-accounts");
}

const LOCK_FREE = `
  SELECT ${ACCOUNT_COLUMNS}
  FROM account
  WHERE account_id = ANY($1::text[])
  FOR NO KEY UPDATE SKIP LOCKED`;

/** Locks those account rows that nobody else has locked, and returns them. */
export async function lockFreeAccounts(
  transaction: Transaction,
  ids: readonly string[],
): Promise<Account[]> {
  return queryRows<Account>(transaction, LOCK_FREE, [textArray(ids)], "lock-free-accounts");
}

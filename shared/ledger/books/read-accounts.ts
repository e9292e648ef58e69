import type { Account } from "../../core/line/account.ts";
import { textArray } from "../postgres/array-literal.ts";
import type { Queryable, Transaction } from "../postgres/database.ts";

/** The columns of an `Account`. */
export const ACCOUNT_COLUMNS = `
  account_id AS "accountId", granted, position, version, threshold, low_balance AS "lowBalance",
  crossings, entries, time_zone AS "timeZone", next_due_at AS "nextDueAt", settle_at AS "settleAt"`;

const READ = `
  SELECT ${ACCOUNT_COLUMNS}
  FROM account
  WHERE account_id = ANY($1::text[])`;

/** The account rows of these ids, as far as they exist, with the versions they stand at. */
export async function readAccounts(
  transaction: Queryable,
  ids: Iterable<string>,
): Promise<Map<string, Account>> {
  const { rows } = await transaction.query<Account>({
    name: "read-accounts",
    text: READ,
    values: [textArray([...ids])],
  });
  return new Map(rows.map((account) => [account.accountId, account]));
}

const HOLD = `
  UPDATE account
  SET version = version
  FROM unnest($1::text[]) AS held (id)
  WHERE account_id = held.id
  RETURNING ${ACCOUNT_COLUMNS}`;

/**
 * Account rows held until the transaction ends, as they stand once nobody else holds them. In id
 * order, so that nobody deadlocks; an update that changes nothing, as a distributed Postgres does not
 * lock many rows otherwise.
 */
export async function lockAccounts(
  transaction: Transaction,
  ids: readonly string[],
): Promise<Account[]> {
  const { rows } = await transaction.query<Account>({
    name: "hold-accounts",
    text: HOLD,
    values: [textArray([...ids].sort())],
  });
  return rows;
}

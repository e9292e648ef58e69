import type { Account } from "../../core/line/account.ts";
import { bigintArray, textArray } from "../postgres/array-literal.ts";
import type { Transaction } from "../postgres/database.ts";

const UPDATE = `
  UPDATE account
  SET granted = moved.granted,
      position = moved.position,
      version = account.version + 1,
      crossings = moved.crossings,
      waiting_crossing = moved.waiting_crossing,
      entries = moved.entries,
      low_balance = moved.low_balance,
      next_due_at = to_timestamp(moved.next_due_at / 1000.0),
      settle_at = to_timestamp(moved.settle_at / 1000.0),
      expired_until = to_timestamp(moved.expired_until / 1000.0),
      spent = moved.spent
  FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
              $7::boolean[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::json[])
    AS moved (account_id, version, granted, position, crossings, entries, low_balance, next_due_at,
              settle_at, expired_until, waiting_crossing, spent)
  WHERE account.account_id = moved.account_id
    AND account.version = moved.version`;

/**
 * Writes the new state of accounts by compare-and-set on their version, in id order so that writers do
 * not deadlock. False: at least one had moved meanwhile; roll back and run again.
 */
export async function updateAccounts(
  transaction: Transaction,
  accounts: readonly Account[],
): Promise<boolean> {
  if (accounts.length === 0) return true;
  const sorted = [...accounts].sort((a, b) => (a.accountId < b.accountId ? -1 : 1));
  const { rowCount } = await transaction.query({
    name: "update-accounts",
    text: UPDATE,
    values: [
      textArray(sorted.map((account) => account.accountId)),
      bigintArray(sorted.map((account) => account.version)),
      bigintArray(sorted.map((account) => account.granted)),
      bigintArray(sorted.map((account) => account.position)),
      bigintArray(sorted.map((account) => account.crossings)),
      bigintArray(sorted.map((account) => account.entries)),
      bigintArray(sorted.map((account) => account.lowBalance)),
      bigintArray(sorted.map((account) => account.nextDueAt)),
      bigintArray(sorted.map((account) => account.settleAt)),
      bigintArray(sorted.map((account) => account.expiredUntil)),
      bigintArray(sorted.map((account) => account.waitingCrossing)),
      textArray(sorted.map((account) => account.spent)),
    ],
  });
  return rowCount === sorted.length;
}

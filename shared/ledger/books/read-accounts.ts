import type { Account, AccountId } from "../../core/line/account.ts";
import { textArray } from "../postgres/array-literal.ts";
import type { Database, Transaction } from "../postgres/database.ts";

export const ACCOUNT_COLUMNS = `
  account_id, granted, position, version, threshold, low_balance, crossings, entries,
  time_zone, (extract(epoch FROM next_due_at) * 1000)::bigint,
  (extract(epoch FROM settle_at) * 1000)::bigint`;

export type AccountRow = [
  accountId: AccountId,
  granted: string,
  position: string,
  version: string,
  threshold: string,
  lowBalance: boolean,
  crossings: string,
  entries: string,
  timeZone: string,
  nextDueAt: string | null,
  settleAt: string | null,
];

const READ = `
  SELECT ${ACCOUNT_COLUMNS}
  FROM account
  WHERE account_id = ANY($1::text[])`;

/** The account rows of these ids, as far as they exist, with the versions they stand at. */
export async function readAccounts(
  transaction: Transaction | Database,
  ids: Iterable<string>,
): Promise<Map<string, Account>> {
  const { rows } = await transaction.query<AccountRow>({
    name: "read-accounts",
    text: READ,
    values: [textArray([...ids])],
    rowMode: "array",
  });
  return new Map(rows.map((row) => [row[0], toAccount(row)]));
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
export async function holdAccounts(
  transaction: Transaction,
  ids: readonly string[],
): Promise<Account[]> {
  const { rows } = await transaction.query<AccountRow>({
    name: "hold-accounts",
    text: HOLD,
    values: [textArray([...ids].sort())],
    rowMode: "array",
  });
  return rows.map(toAccount);
}

export function toAccount(row: AccountRow): Account {
  return {
    accountId: row[0],
    granted: BigInt(row[1]),
    position: BigInt(row[2]),
    version: BigInt(row[3]),
    threshold: BigInt(row[4]),
    lowBalance: row[5],
    crossings: BigInt(row[6]),
    entries: BigInt(row[7]),
    timeZone: row[8],
    nextDueAt: row[9] === null ? null : Number(row[9]),
    settleAt: row[10] === null ? null : Number(row[10]),
  };
}

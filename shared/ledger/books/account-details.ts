import type { Account, AccountId, Instant } from "../../core/line/account.ts";
import type { ChargeCurrency } from "../../core/payments/charge-limits.ts";
import { textArray } from "../postgres/array-literal.ts";
import { type Queryable, queryRows, type Transaction } from "../postgres/database.ts";
import { together } from "../postgres/together.ts";
import { ACCOUNT_COLUMNS, lockAccounts } from "./read-accounts.ts";

/** An account with the columns that metering does not need. */
export interface AccountDetails extends ChargeCurrency {
  readonly account: Account;
  readonly createdAt: Instant;
}

const READ = `
  SELECT currency, coalesce(minimum, 1) AS "minimumCharge", most_amount AS "mostAmount",
         most_per_day AS "mostPerDay", most_per_month AS "mostPerMonth", created_at AS "createdAt",
         ${ACCOUNT_COLUMNS}
  FROM account
  LEFT JOIN charge_limit USING (currency)
  WHERE account_id = ANY($1::text[])`;

/** The accounts of these ids that exist, by id. */
async function readAllDetails(
  database: Queryable,
  ids: readonly AccountId[],
): Promise<Map<AccountId, AccountDetails>> {
  const rows = await queryRows<Row>(database, READ, [textArray(ids)], "read-account-details");
  return new Map(rows.map((row) => [row.accountId, toDetails(row)]));
}

/** An account, or null when there is none of this id. */
export async function readAccountDetails(
  database: Queryable,
  accountId: AccountId,
): Promise<AccountDetails | null> {
  return (await readAllDetails(database, [accountId])).get(accountId) ?? null;
}

/** The accounts of these ids that exist, by id, locked until the transaction ends. */
export async function lockAllDetails(
  transaction: Transaction,
  ids: readonly AccountId[],
): Promise<Map<AccountId, AccountDetails>> {
  const [, details] = await together([
    lockAccounts(transaction, ids),
    readAllDetails(transaction, ids),
  ]);
  return details;
}

/** An account, locked until the transaction ends; null: there is none. */
export async function lockAccount(
  transaction: Transaction,
  accountId: AccountId,
): Promise<AccountDetails | null> {
  return (await lockAllDetails(transaction, [accountId])).get(accountId) ?? null;
}

function toDetails({ currency, minimumCharge, createdAt, ...row }: Row): AccountDetails {
  const { mostAmount, mostPerDay, mostPerMonth, ...account } = row;
  const isSet = mostAmount !== null && mostPerDay !== null && mostPerMonth !== null;
  const defaultCeilings = isSet
    ? { amount: mostAmount, perDay: mostPerDay, perMonth: mostPerMonth }
    : null;
  return { account, currency, minimumCharge, defaultCeilings, createdAt };
}

type Row = Account &
  Omit<AccountDetails, "account" | "defaultCeilings"> &
  Record<"mostAmount" | "mostPerDay" | "mostPerMonth", bigint | null>;

const SET =
  "UPDATE account SET time_zone = $2, threshold = $3, overdraft = $4 WHERE account_id = $1";

/** Writes an account's time zone, threshold and overdraft. Columns derived from them are written by `postMovement`. */
export async function writeAccountSettings(
  transaction: Transaction,
  { accountId, timeZone, threshold, overdraft }: Account,
): Promise<void> {
  await transaction.query(SET, [accountId, timeZone, threshold, overdraft]);
}

import type { Account, AccountId, Instant } from "../../core/line/account.ts";
import type { ChargeCurrency } from "../../core/payments/charge-limits.ts";
import type { Queryable, Transaction } from "../postgres/database.ts";
import { ACCOUNT_COLUMNS } from "./read-accounts.ts";

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
  WHERE account_id = $1`;

const LOCK = `${READ} FOR UPDATE OF account`;

/** An account, or null when there is none of this id. */
export async function readAccountDetails(
  database: Queryable,
  accountId: AccountId,
): Promise<AccountDetails | null> {
  return query(database, { name: "read-account-details", text: READ }, accountId);
}

/** An account, locked until the transaction ends; null: there is none. */
export async function lockAccount(
  transaction: Transaction,
  accountId: AccountId,
): Promise<AccountDetails | null> {
  return query(transaction, { name: "lock-account", text: LOCK }, accountId);
}

async function query(
  database: Queryable,
  statement: { readonly name: string; readonly text: string },
  accountId: AccountId,
): Promise<AccountDetails | null> {
  const { rows } = await database.query<Row>({
    ...statement,
    values: [accountId],
  });
  if (rows[0] === undefined) return null;
  const { currency, minimumCharge, mostAmount, mostPerDay, mostPerMonth, ...row } = rows[0];
  const { createdAt, ...account } = row;
  const isSet = mostAmount !== null && mostPerDay !== null && mostPerMonth !== null;
  const defaultCeilings = isSet
    ? { amount: mostAmount, perDay: mostPerDay, perMonth: mostPerMonth }
    : null;
  return { account, currency, minimumCharge, defaultCeilings, createdAt };
}

type Row = Account &
  Omit<AccountDetails, "account" | "defaultCeilings"> &
  Record<"mostAmount" | "mostPerDay" | "mostPerMonth", bigint | null>;

const SET = "UPDATE account SET time_zone = $2, threshold = $3 WHERE account_id = $1";

/** Writes an account's time zone and threshold. Columns derived from them are written by `postMovement`. */
export async function writeAccountSettings(
  transaction: Transaction,
  { accountId, timeZone, threshold }: Account,
): Promise<void> {
  await transaction.query(SET, [accountId, timeZone, threshold]);
}

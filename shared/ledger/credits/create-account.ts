import type { AccountId, Instant } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import type { Refusal } from "../../core/line/refusal.ts";
import { recordSettings } from "../books/setting-changes.ts";
import { type Database, inTransaction, queryRow } from "../postgres/database.ts";

/** What an account is created with. */
export interface NewAccount {
  readonly accountId: AccountId;
  /** A name of the IANA time zone database; the caller has checked it. */
  readonly timeZone: string;
  /** ISO 4217. */
  readonly currency: string;
  /** A balance that falls to it is low. */
  readonly threshold: MicroCredits;
}

type CreateAccountOutcome =
  | { readonly kind: "created" }
  | { readonly kind: "already_exists" }
  | Refusal<"account_exists">;

const CREATE = `
  INSERT INTO account (account_id, time_zone, currency, threshold, created_at)
  VALUES ($1, $2, $3, $4, to_timestamp($5 / 1000.0))
  ON CONFLICT DO NOTHING`;

const READ = `
  SELECT account_id AS "accountId", time_zone AS "timeZone", currency, threshold
  FROM account
  WHERE account_id = $1`;

/** Creates an account with an empty line; `by`: who requested it. The same again changes nothing. */
export async function createAccount(
  database: Database,
  asked: NewAccount,
  { now, by }: { readonly now: Instant; readonly by: string },
): Promise<CreateAccountOutcome> {
  const { accountId, timeZone, currency, threshold } = asked;
  const created = await inTransaction(database, async (transaction) => {
    const values = [accountId, timeZone, currency, threshold, now];
    const { rowCount } = await transaction.query(CREATE, values);
    if (rowCount === 0) return false;
    await recordSettings(transaction, { accountId, now, by });
    return true;
  });
  if (created) return { kind: "created" };
  const existing = await queryRow<NewAccount>(database, READ, [accountId]);
  if (existing === null) throw new Error(`account ${accountId} is gone`);
  const same =
    existing.timeZone === timeZone &&
    existing.currency === currency &&
    existing.threshold === threshold;
  return same ? { kind: "already_exists" } : { kind: "account_exists", ...existing };
}

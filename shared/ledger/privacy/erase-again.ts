import type { AccountId, Instant } from "../../core/line/account.ts";
import { type Database, queryRows } from "../postgres/database.ts";
import { eraseAccount } from "./erase-account.ts";

// One with a subscription or a payment method is in use again, and what it brings is its own.
const MOVED = `
  SELECT account_id AS "accountId",
         CASE WHEN finished_at IS NULL THEN 0 ELSE account_version END AS since
  FROM (
    SELECT DISTINCT ON (account_id) account_id, finished_at, account_version, hold_changes
    FROM erasure
    ORDER BY account_id, sequence DESC
  ) AS last
  JOIN account USING (account_id)
  WHERE finished_at IS NULL
    OR ((account.version > account_version OR account.hold_changes > last.hold_changes)
      AND NOT EXISTS (SELECT FROM schedule
                      WHERE schedule.account_id = last.account_id AND plan_id IS NOT NULL)
      AND NOT EXISTS (SELECT FROM payment_method WHERE payment_method.account_id = last.account_id))
  ORDER BY random()
  LIMIT $1`;

/** The rest is for the next run. */
const ACCOUNTS_IN_A_RUN = 100;

/**
 * Erases what has come to erased accounts since, such as late usage, and finishes erasures that were broken off.
 * Yields after each account whether there was anything; those on which something is under way wait.
 */
export async function* eraseAgain(database: Database, now: Instant): AsyncGenerator<boolean> {
  type Moved = { readonly accountId: AccountId; readonly since: bigint };
  const moved = await queryRows<Moved>(database, MOVED, [ACCOUNTS_IN_A_RUN]);
  for (const account of moved) {
    const { kind } = await eraseAccount(database, { ...account, now, by: "scheduler" });
    yield kind === "erased";
  }
}

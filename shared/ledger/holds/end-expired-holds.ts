import type { AccountId, Instant } from "../../core/line/account.ts";
import { lockFreeAccounts } from "../books/read-accounts.ts";
import { type Database, queryRows } from "../postgres/database.ts";
import { changeLocked } from "./change-holds.ts";

/** The most holds that one look finds. */
const MOST = 1_000;

const EXPIRED = `
  SELECT account_id AS "accountId"
  FROM hold
  WHERE ended_at IS NULL AND expires_at <= to_timestamp($1 / 1000.0)
  ORDER BY expires_at
  LIMIT ${MOST}`;

/**
 * Ends holds whose time is over, those that ended first before others, and returns how many. Any number of
 * these may run concurrently.
 */
export async function endExpiredHolds(database: Database, now: Instant): Promise<number> {
  type Expired = { readonly accountId: AccountId };
  const expired = await queryRows<Expired>(database, EXPIRED, [now], "find-expired-holds");
  if (expired.length === 0) return 0;
  const ids = [...new Set(expired.map(({ accountId }) => accountId))];
  // Who has locked an account and changes its holds ends them; after anyone else the next look does.
  const changed = await changeLocked(database, lockFreeAccounts, { ids, asked: new Map(), now });
  return changed.reduce((sum, { changes }) => sum + changes.length, 0);
}

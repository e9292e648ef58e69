import type { AccountId, Instant } from "../../core/line/account.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import type { NumberedAlert } from "./raise-alerts.ts";

/** An alert and when it was raised. */
export interface RaisedAlert extends NumberedAlert {
  readonly raisedAt: Instant;
}

const LIST = `
  SELECT account_id AS "accountId", sequence, kind, subject, window_name AS "window", level, used, used_of AS "limit", currency,
         cause, reason, occurred_at AS "occurredAt", raised_at AS "raisedAt"
  FROM alert
  WHERE account_id = $1 AND ($2::bigint IS NULL OR sequence < $2)
  ORDER BY sequence DESC
  LIMIT $3`;

/** An account's alerts, newest first: at most `limit` before the sequence `before` (null: of all). */
export async function listAlerts(
  transaction: Transaction,
  accountId: AccountId,
  { before, limit }: { readonly before: bigint | null; readonly limit: number },
): Promise<RaisedAlert[]> {
  return queryRows<RaisedAlert>(transaction, LIST, [accountId, before, limit]);
}

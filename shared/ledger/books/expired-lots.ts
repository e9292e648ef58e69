import type { AccountId } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import { type LateUsageRef, REFERENCE } from "../../core/line/reference.ts";
import { type ExpiredLot, inLineOrder } from "../../core/month/late-usage.ts";
import { textArray } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";

/** The entries that give expired credits back to late usage. */
export const GIVES_BACK = "entry.kind = 'reversal' AND entry.credits > 0";

/** What `REFERENCE.lateUsage` writes of a row of `usage_record AS record`. */
export const LATE_REFERENCE =
  "'late:' || record.event_id || CASE record.source WHEN '' THEN '' ELSE ' of ' || record.source END";

const READ = `
  SELECT lot.account_id AS "accountId", lot_id AS "lotId", start_position AS start,
         end_position AS "end", expires_at AS "expiresAt", -sum(entry.credits)::bigint AS left
  FROM lot
  JOIN entry USING (account_id, lot_id)
  WHERE lot.account_id = ANY($1::text[])
    AND (entry.kind = 'expiry' OR (${GIVES_BACK}))
  GROUP BY lot.account_id, lot_id
  HAVING sum(entry.credits) < 0`;

/** The lots with expired credits that were not given back, in line order, by account. */
export async function readExpired(
  transaction: Transaction,
  accountIds: readonly string[],
): Promise<Map<string, ExpiredLot[]>> {
  if (accountIds.length === 0) return new Map();
  type Row = ExpiredLot & { readonly accountId: string };
  const rows = await queryRows<Row>(transaction, READ, [textArray(accountIds)], "read-expired");
  const byAccount = Map.groupBy(rows, ({ accountId }) => accountId);
  return new Map([...byAccount].map(([id, lots]) => [id, inLineOrder(lots)]));
}

/** What an expired lot paid of a late event. */
export interface PaidByExpired {
  readonly lotId: string;
  readonly credits: MicroCredits;
}

const PAID = `
  SELECT lot_id AS "lotId", credits
  FROM entry
  WHERE account_id = $1 AND ${GIVES_BACK} AND reference = $2
  ORDER BY sequence`;

/** What expired lots paid of an event; empty: it was not late, or needed nothing. */
export async function paidByExpired(
  transaction: Transaction,
  accountId: AccountId | string,
  event: LateUsageRef,
): Promise<PaidByExpired[]> {
  const values = [accountId, REFERENCE.lateUsage.write(event)];
  return queryRows<PaidByExpired>(transaction, PAID, values);
}

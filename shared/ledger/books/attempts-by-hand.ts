import type { AccountId, Instant } from "../../core/line/account.ts";
import { AUTOMATIC_TOP_UP } from "../../core/line/reference.ts";
import type { Refusal } from "../../core/line/refusal.ts";
import { ATTEMPTS_WITHIN_MS, refuseAttempt } from "../../core/payments/attempts-by-hand.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";

const NEWEST = `
  SELECT at
  FROM (
    SELECT created_at AS at
    FROM payment
    WHERE account_id = $1
      AND created_at > to_timestamp($2 / 1000.0)
      AND (kind = 'top_up' AND NOT starts_with(payment_id, '${AUTOMATIC_TOP_UP}')
           OR status = 'failed' AND calls > 0)
    UNION ALL
    SELECT changed_at
    FROM payment_method_change
    WHERE account_id = $1
      AND method IS NOT NULL
      AND changed_at > to_timestamp($2 / 1000.0)
  ) AS attempt
  ORDER BY at DESC
  LIMIT $3`;

/** An account, and the most attempts that it has in an hour. */
export interface AttemptLimit {
  readonly accountId: AccountId;
  readonly now: Instant;
  readonly most: number;
}

/**
 * Refuses another attempt to pay by hand if the account has had too many; null: it may. Attempts are
 * top-ups by hand, payment methods that were set, and declined automatic top-ups and fees. The caller has
 * locked the account and stores the attempt in the same transaction, so that concurrent ones are counted.
 */
export async function refuseOneMore(
  transaction: Transaction,
  { accountId, now, most }: AttemptLimit,
): Promise<Refusal<"too_many_attempts"> | null> {
  const values = [accountId, now - ATTEMPTS_WITHIN_MS, most];
  const rows = await queryRows<{ at: Instant }>(transaction, NEWEST, values, "newest-attempts");
  return refuseAttempt(
    rows.map(({ at }) => at),
    most,
    now,
  );
}

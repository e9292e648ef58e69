import type { AccountId, Instant } from "../../core/line/account.ts";
import type { Fee } from "../../core/month/fee.ts";
import type { PaymentStatus } from "../../core/payments/payment.ts";
import type { Queryable } from "../postgres/database.ts";

/** A subscription's fee that is not paid. */
export interface OpenFee extends Fee {
  readonly status: Exclude<PaymentStatus, "succeeded">;
  /** Counts from 1. */
  readonly attempt: number;
  /** Why it stands as it does, in words a customer can read; empty when there is nothing to say. */
  readonly reason: string;
  /** When it is charged, or asked about, next; null: not until the customer acts. */
  readonly nextTryAt: Instant | null;
}

const READ = `
  SELECT payment_id AS "paymentId", subscription AS number, period, periods, plan_id AS "planId",
         amount, currency, created_at AS "dueAt", status, attempt, reason,
         next_try_at AS "nextTryAt"
  FROM payment
  WHERE account_id = $1 AND kind = 'fee' AND status <> 'succeeded'
  ORDER BY created_at, payment_id`;

/** What an account owes for its subscriptions, also for those that have ended; oldest first. */
export async function readOpenFees(database: Queryable, accountId: AccountId): Promise<OpenFee[]> {
  const { rows } = await database.query<OpenFee>(READ, [accountId]);
  return rows;
}

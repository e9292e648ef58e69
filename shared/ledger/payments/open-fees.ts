import type { AccountId, Instant } from "../../core/line/account.ts";
import type { Fee } from "../../core/month/fee.ts";
import type { PaymentStatus } from "../../core/payments/payment.ts";
import { type Queryable, queryRows } from "../postgres/database.ts";

/** An unpaid fee of a subscription. */
export interface OpenFee extends Fee {
  readonly status: Exclude<PaymentStatus, "succeeded">;
  /** Counts from 1. */
  readonly attempt: number;
  /** Why it is in this state, in words for customers; may be empty. */
  readonly reason: string;
  /** When it is charged or checked next; null: not until the customer acts. */
  readonly nextTryAt: Instant | null;
}

const READ = `
  SELECT payment_id AS "paymentId", subscription AS number, period, periods, plan_id AS "planId",
         amount, currency, created_at AS "dueAt", status, attempt, reason,
         next_try_at AS "nextTryAt"
  FROM payment
  WHERE account_id = $1 AND kind = 'fee' AND status <> 'succeeded'
  ORDER BY created_at, payment_id`;

/** The unpaid fees of an account, including those of ended subscriptions; oldest first. */
export async function readOpenFees(database: Queryable, accountId: AccountId): Promise<OpenFee[]> {
  return queryRows<OpenFee>(database, READ, [accountId]);
}

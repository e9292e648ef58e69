import type { AccountId, Instant } from "../../core/line/account.ts";
import type { Fee } from "../../core/month/fee.ts";
import type { PaymentStatus } from "../../core/payments/payment.ts";
import type { Database, Transaction } from "../postgres/database.ts";

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
  SELECT payment_id, subscription, period, periods, plan_id, amount, currency,
         (extract(epoch FROM created_at) * 1000)::bigint, status, attempt, reason,
         (extract(epoch FROM next_try_at) * 1000)::bigint
  FROM payment
  WHERE account_id = $1 AND kind = 'fee' AND status <> 'succeeded'
  ORDER BY created_at, payment_id`;

type Row = [
  paymentId: string,
  number: number,
  period: number,
  periods: number,
  planId: string,
  amount: string,
  currency: string,
  dueAt: string,
  status: OpenFee["status"],
  attempt: number,
  reason: string,
  nextTryAt: string | null,
];

/** What an account owes for its subscriptions, also for those that have ended; oldest first. */
export async function readOpenFees(
  database: Database | Transaction,
  accountId: AccountId,
): Promise<OpenFee[]> {
  const { rows } = await database.query<Row>({ text: READ, values: [accountId], rowMode: "array" });
  return rows.map(([paymentId, number, period, periods, planId, amount, currency, ...row]) => {
    const [dueAt, status, attempt, reason, nextTryAt] = row;
    return {
      ...{ paymentId, number, period, periods, planId, currency, status, attempt, reason },
      amount: BigInt(amount),
      dueAt: Number(dueAt),
      nextTryAt: nextTryAt === null ? null : Number(nextTryAt),
    };
  });
}

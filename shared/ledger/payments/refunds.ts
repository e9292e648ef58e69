import type { Instant } from "../../core/line/account.ts";
import type { Refusal } from "../../core/line/refusal.ts";
import type { Payment } from "../../core/payments/payment.ts";
import { refundChanged } from "../../core/payments/payment-change.ts";
import { lockAccount } from "../books/account-details.ts";
import { moveAccount, type UnknownAccount } from "../books/move-account.ts";
import { publishPayments } from "../books/publish-payments.ts";
import {
  type Database,
  inTransaction,
  type Queryable,
  queryRow,
  queryRows,
  type Transaction,
} from "../postgres/database.ts";
import { lockPayment, type PaymentRef } from "./payments.ts";

/** A refund or chargeback of a payment. */
export interface Refund {
  readonly refundId: string;
  readonly paymentId: string;
  readonly kind: "refund" | "chargeback";
  readonly status: "pending" | "posted" | "refused";
  /** In the currency's minor unit. */
  readonly amount: bigint;
  /** Micro-credits of the top-up's lot that were withdrawn unspent, and spent ones that were reversed. */
  readonly withdrawn: bigint;
  readonly owed: bigint;
  /** Why it was refused; empty otherwise. */
  readonly reason: string;
  /** Who requested it; `gateway` for one that began there. */
  readonly askedBy: string;
  readonly createdAt: Instant;
  /** Null: pending or refused. */
  readonly postedAt: Instant | null;
}

const LIST = `
  SELECT refund_id AS "refundId", payment_id AS "paymentId", kind, status, amount, withdrawn, owed,
         reason, asked_by AS "askedBy", created_at AS "createdAt", posted_at AS "postedAt"
  FROM refund
  WHERE account_id = $1 AND payment_id = $2
  ORDER BY created_at, refund_id`;

/** All refunds of a payment in any state, oldest first. */
export async function listRefunds(
  database: Queryable,
  { accountId, paymentId }: PaymentRef,
): Promise<Refund[]> {
  return queryRows<Refund>(database, LIST, [accountId, paymentId]);
}

/** A requested refund. */
export interface NewRefund extends PaymentRef {
  /** Identifies it among the payment's refunds; a repeated request changes nothing. */
  readonly refundId: string;
  /** In the currency's minor unit; null: all that is not refunded yet. */
  readonly amount: bigint | null;
  readonly by: string;
  readonly now: Instant;
}

export type RefundOutcome =
  | { readonly kind: "pending"; readonly payment: Payment; readonly amount: bigint }
  /** The same refund was requested before. */
  | { readonly kind: "already_exists"; readonly refund: Refund }
  | Refusal<"refund_exists" | "unknown_payment" | "below_minimum">
  | Refusal<"not_paid" | "exceeds_refundable">;

const ASK = `
  INSERT INTO refund (account_id, refund_id, payment_id, kind, status, amount, withdrawn, owed,
                      reason, asked_by, created_at)
  VALUES ($1, $2, $3, 'refund', 'pending', $4, 0, 0, '', $5, to_timestamp($6 / 1000.0))`;

const TAKE_TO_GATEWAY = `
  UPDATE payment
  SET next_try_at = to_timestamp($3 / 1000.0)
  WHERE account_id = $1 AND payment_id = $2`;

/** Stores a pending refund and schedules it at the gateway. */
export async function requestRefund(
  database: Database,
  asked: NewRefund,
): Promise<RefundOutcome | UnknownAccount> {
  const { accountId, paymentId, refundId, by, now } = asked;
  return moveAccount<RefundOutcome>(database, { accountId, now }, async (_, transaction) => {
    const decision = await decideRefund(transaction, asked);
    if (decision.kind === "pending") {
      const { amount, payment } = decision;
      await transaction.query(ASK, [accountId, refundId, paymentId, amount, by, now]);
      await transaction.query(TAKE_TO_GATEWAY, [accountId, paymentId, now]);
      const pending = { refundId, kind: "refund", status: "pending", amount } as const;
      const change = refundChanged(payment, { ...pending, requestedBy: by, reason: "" });
      await publishPayments(transaction, [change], now);
    }
    return { decision, step: null };
  });
}

async function decideRefund(transaction: Transaction, asked: NewRefund): Promise<RefundOutcome> {
  const { paymentId } = asked;
  const payment = await lockPayment(transaction, asked);
  if (payment === null) return { kind: "unknown_payment", paymentId };
  const { status, currency } = payment;
  const refunds = await listRefunds(transaction, asked);
  const refund = refunds.find(({ refundId }) => refundId === asked.refundId);
  if (refund !== undefined) {
    // The amount that null stood for in the first request is no longer known.
    const isSame = asked.amount === null || asked.amount === refund.amount;
    if (isSame) return { kind: "already_exists", refund };
    return { kind: "refund_exists", amount: refund.amount, currency };
  }
  if (asked.amount !== null && asked.amount <= 0n) {
    return { kind: "below_minimum", least: 1n, currency };
  }
  if (status !== "succeeded") return { kind: "not_paid", paymentId, status };
  const left = payment.amount - sumOf(refunds.filter((one) => one.status !== "refused"));
  const amount = asked.amount ?? left;
  if (left <= 0n || amount > left) {
    return { kind: "exceeds_refundable", paymentId, left: left < 0n ? 0n : left, currency };
  }
  return { kind: "pending", payment, amount };
}

/** The sum of refunds, in minor units. */
export function sumOf(refunds: readonly Refund[]): bigint {
  return refunds.reduce((sum, { amount }) => sum + amount, 0n);
}

const REFUSE = `
  UPDATE refund
  SET status = 'refused', reason = $4
  WHERE account_id = $1 AND payment_id = $2 AND refund_id = $3 AND status = 'pending'
  RETURNING amount, asked_by AS "requestedBy"`;

/** Records that the gateway refused a refund, and why. */
export async function refuseRefund(
  database: Database,
  ref: PaymentRef,
  { refundId }: Pick<Refund, "refundId">,
  { reason, now }: { readonly reason: string; readonly now: Instant },
): Promise<void> {
  const { accountId, paymentId } = ref;
  await inTransaction(database, async (transaction) => {
    await lockAccount(transaction, accountId);
    const payment = await lockPayment(transaction, ref);
    type Row = { amount: bigint; requestedBy: string };
    const values = [accountId, paymentId, refundId, reason];
    const refused = await queryRow<Row>(transaction, REFUSE, values);
    if (payment === null || refused === null) return;
    const change = { refundId, kind: "refund", status: "refused", reason, ...refused } as const;
    await publishPayments(transaction, [refundChanged(payment, change)], now);
  });
}

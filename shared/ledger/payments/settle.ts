import { decideFeePaid } from "../../core/changes/restore-subscription.ts";
import { decideFeeFailed } from "../../core/changes/suspend-subscription.ts";
import type { Instant } from "../../core/line/account.ts";
import type { Settlement } from "../../core/month/settle.ts";
import { recheckAt } from "../../core/payments/attempt.ts";
import { type Decline, declineReason } from "../../core/payments/decline.ts";
import type { FeePayment, Payment, PaymentStatus, TopUp } from "../../core/payments/payment.ts";
import { chargeChanged } from "../../core/payments/payment-change.ts";
import { feeDeclined, keepsSuspended } from "../../core/payments/settle-fee.ts";
import { topUpDeclined, topUpSucceeded } from "../../core/payments/settle-top-up.ts";
import { readAutoTopUp, writeAutoTopUp } from "../books/auto-top-ups.ts";
import { moveAccount, type SettledAccount, type UnknownAccount } from "../books/move-account.ts";
import { publishPayments } from "../books/publish-payments.ts";
import { readOpenFees } from "../books/unpaid-fees.ts";
import { type Database, queryRow, type Transaction } from "../postgres/database.ts";
import { lockPayment } from "./payments.ts";

/** The final outcome of a payment's attempt. */
export type PaymentOutcome =
  | { readonly kind: "succeeded"; readonly gatewayPayment: string }
  | {
      readonly kind: "declined";
      readonly gatewayPayment: string | null;
      readonly decline: Decline;
    };

export type SettledPayment =
  | { readonly kind: "settled"; readonly status: PaymentStatus }
  /** Another process has settled this attempt. */
  | { readonly kind: "already_settled" };

/** The author of changes in a subscription's history when fees are paid or abandoned. */
const BY = "payments";

/**
 * Posts the outcome of a payment's attempt once, in one transaction: a top-up's lot, or what a fee means
 * for its subscription, and the notices. Repeating it is safe.
 */
export async function settlePayment(
  database: Database,
  { accountId, paymentId, attempt }: Payment,
  outcome: PaymentOutcome,
  now: Instant,
): Promise<SettledPayment | UnknownAccount> {
  return moveAccount<SettledPayment>(database, { accountId, now }, async (settled, transaction) => {
    const payment = await lockPayment(transaction, { accountId, paymentId });
    if (payment?.status !== "pending" || payment.attempt !== attempt) {
      return { decision: { kind: "already_settled" }, step: null };
    }
    const { step, ...after } =
      payment.kind === "top_up"
        ? await settleTopUp(transaction, payment, outcome, settled, now)
        : await settleFee(transaction, payment, outcome, settled, now);
    await write(transaction, payment, { ...after, ...outcome }, now);
    await publishPayments(transaction, [chargeChanged(payment, after)], now);
    return { decision: { kind: "settled", status: after.status }, step };
  });
}

/** The new state of a payment, and the change of its account. */
interface After {
  readonly status: PaymentStatus;
  readonly reason: string;
  readonly nextTryAt: Instant | null;
  readonly step: Settlement | null;
}

async function settleTopUp(
  transaction: Transaction,
  topUp: TopUp,
  outcome: PaymentOutcome,
  { book }: SettledAccount,
  now: Instant,
): Promise<After> {
  const before = await readAutoTopUp(transaction, topUp.accountId);
  const succeeded = outcome.kind === "succeeded";
  const { auto, notices, step, reason } = succeeded
    ? topUpSucceeded(topUp, before, book, now)
    : topUpDeclined(topUp, before, outcome.decline, now);
  await writeAutoTopUp(transaction, topUp.accountId, { auto, notices, now });
  if (!succeeded) return { status: "failed", reason, nextTryAt: null, step };
  return { status: "succeeded", reason, nextTryAt: await nextCheck(transaction, topUp, now), step };
}

async function settleFee(
  transaction: Transaction,
  fee: FeePayment,
  outcome: PaymentOutcome,
  settled: SettledAccount,
  now: Instant,
): Promise<After> {
  if (outcome.kind === "succeeded") {
    const step = await payFee(transaction, fee, settled, { now, by: BY });
    const nextTryAt = await nextCheck(transaction, fee, now);
    return { status: "succeeded", reason: "", nextTryAt, step };
  }
  const reason = declineReason(outcome.decline);
  const { subscription } = settled.book.schedule;
  const { status, nextTryAt } = feeDeclined(fee, subscription?.number === fee.number, now);
  const decision = status === "failed" ? decideFeeFailed(fee, { ...settled, now, by: BY }) : null;
  return { status, reason, nextTryAt, step: decision?.kind === "changed" ? decision : null };
}

/** What the payment of a fee changes on its account, which is settled and locked; null: nothing. */
export async function payFee(
  transaction: Transaction,
  fee: FeePayment,
  settled: SettledAccount,
  request: { readonly now: Instant; readonly by: string },
): Promise<Settlement | null> {
  const owing = await countOwing(transaction, fee);
  const decision = decideFeePaid(fee, { ...settled, ...request, owing });
  return decision.kind === "changed" ? decision : null;
}

async function countOwing(
  transaction: Transaction,
  { accountId, number, paymentId }: FeePayment,
): Promise<number> {
  const open = await readOpenFees(transaction, accountId);
  const others = open.filter((fee) => fee.number === number && fee.paymentId !== paymentId);
  return others.filter(keepsSuspended).length;
}

const CALLS = `
  SELECT calls, next_try_at AS "nextTryAt"
  FROM payment
  WHERE account_id = $1 AND payment_id = $2`;

/** When to check a succeeded payment at the gateway again; null: never. */
async function nextCheck(
  transaction: Transaction,
  { accountId, paymentId }: Payment,
  now: Instant,
): Promise<Instant | null> {
  type Row = { calls: number; nextTryAt: Instant | null };
  const row = await queryRow<Row>(transaction, CALLS, [accountId, paymentId], "read-calls");
  return recheckAt(row ?? { calls: 0, nextTryAt: null }, now);
}

const WRITE = `
  UPDATE payment
  SET status = $3,
      reason = $4,
      next_try_at = to_timestamp($5::bigint / 1000.0),
      gateway_payment = coalesce($6, gateway_payment),
      settled_at = to_timestamp($7::bigint / 1000.0)
  WHERE account_id = $1 AND payment_id = $2`;

async function write(
  transaction: Transaction,
  { accountId, paymentId }: Payment,
  after: Omit<After, "step"> & { readonly gatewayPayment: string | null },
  now: Instant,
): Promise<void> {
  const { status, reason, nextTryAt, gatewayPayment } = after;
  const settledAt = status === "retrying" ? null : now;
  const values = [accountId, paymentId, status, reason, nextTryAt, gatewayPayment, settledAt];
  await transaction.query({ name: "settle-payment", text: WRITE, values });
}

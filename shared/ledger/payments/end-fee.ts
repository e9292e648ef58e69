import { decideFeePaid } from "../../core/changes/restore-subscription.ts";
import { decideFeeFailed } from "../../core/changes/suspend-subscription.ts";
import type { Instant } from "../../core/line/account.ts";
import type { Settlement } from "../../core/month/settle.ts";
import { recheckAt } from "../../core/payments/attempt.ts";
import { declineReason } from "../../core/payments/decline.ts";
import type { FeePayment } from "../../core/payments/payment.ts";
import { feeDeclined, keepsSuspended } from "../../core/payments/settle-fee.ts";
import type { SettledAccount } from "../books/move-account.ts";
import { readOpenFees } from "../books/unpaid-fees.ts";
import type { Transaction } from "../postgres/database.ts";
import type { OpenAttempt, PaymentEnd } from "./open-attempt.ts";

/** The author of changes in a subscription's history when fees are paid or abandoned. */
const BY = "payments";

/** What the outcome of a fee's attempt means for it and its subscription. */
export async function endFee(
  transaction: Transaction,
  fee: FeePayment,
  { calls, nextTryAt, outcome, settled }: OpenAttempt,
  now: Instant,
): Promise<PaymentEnd> {
  if (outcome.kind === "succeeded") {
    const step = await payFee(transaction, fee, settled, { now, by: BY });
    const next = recheckAt({ calls, nextTryAt }, now);
    return { status: "succeeded", reason: "", nextTryAt: next, step };
  }
  const reason = declineReason(outcome.decline);
  const { subscription } = settled.book.schedule;
  const declined = feeDeclined(fee, subscription?.number === fee.number, now);
  const failed = declined.status === "failed";
  const decision = failed ? decideFeeFailed(fee, { ...settled, now, by: BY }) : null;
  return { ...declined, reason, step: decision?.kind === "changed" ? decision : null };
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

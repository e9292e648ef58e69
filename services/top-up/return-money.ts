import { type ClaimedPayment, putOffPayment } from "../../shared/ledger/payments/claim.ts";
import { postRefund } from "../../shared/ledger/payments/post-refund.ts";
import { listRefunds, type Refund, refuseRefund } from "../../shared/ledger/payments/refunds.ts";
import { OutcomeUnknown } from "./gateways/payment-gateway.ts";
import type { PaymentContext } from "./payment-context.ts";
import { refundKey } from "./payment-key.ts";

const TRY_AGAIN_MS = 30_000;

/**
 * Makes the requested refunds of a payment, and posts all its refunds and chargebacks: those requested
 * here, those made at the gateway itself, and those by the bank. Each is posted once, by its identity.
 */
export async function returnMoney(context: PaymentContext, claimed: ClaimedPayment): Promise<void> {
  const { database, logger, now } = context;
  const { accountId, paymentId } = claimed.payment;
  const nextTry = (nextTryAt: number | null) =>
    putOffPayment(database, claimed, { nextTryAt, gatewayPayment: null, reason: null });
  const { gatewayPayment } = claimed;
  if (gatewayPayment === null) return nextTry(null);
  try {
    const refunds = await listRefunds(database, { accountId, paymentId });
    const pending = refunds.filter(({ status }) => status === "pending");
    // The gateway forgets keys after a day, so what it has made already is not sent again.
    const before = pending.length === 0 ? [] : await context.gateway.takenBack(gatewayPayment);
    const made = new Set(before.map(({ key }) => key));
    for (const refund of pending) {
      if (made.has(refundKey(claimed, refund))) continue;
      await makeRefund(context, claimed, gatewayPayment, refund);
    }
    await postAll(context, claimed, gatewayPayment);
    await nextTry(null);
  } catch (error) {
    if (!(error instanceof OutcomeUnknown)) throw error;
    logger.warn(
      { accountId, paymentId, error: error.message },
      "the outcome of a refund is unknown",
    );
    await nextTry(now() + TRY_AGAIN_MS);
  }
}

async function makeRefund(
  { database, gateway, logger, now }: PaymentContext,
  claimed: ClaimedPayment,
  gatewayPayment: string,
  refund: Refund,
): Promise<void> {
  const { accountId, paymentId } = claimed.payment;
  const { amount, refundId } = refund;
  const key = refundKey(claimed, refund);
  const answer = await gateway.refund({ key, gatewayPayment, amount });
  if (answer.kind !== "refused") return;
  const { reason } = answer;
  logger.warn({ accountId, paymentId, refundId, reason }, "refund refused");
  await refuseRefund(database, claimed.payment, refund, { reason, now: now() });
}

async function postAll(
  { database, gateway, logger, now }: PaymentContext,
  claimed: ClaimedPayment,
  gatewayPayment: string,
): Promise<void> {
  const { accountId, paymentId } = claimed.payment;
  const takenBack = await gateway.takenBack(gatewayPayment);
  // Read after the answer: one that was requested meanwhile, and made by another claim, has its own id.
  const refunds = await listRefunds(database, { accountId, paymentId });
  const requested = new Map(refunds.map((refund) => [refundKey(claimed, refund), refund]));
  const known = new Set(refunds.map(({ refundId }) => refundId));
  for (const { key, gatewayId, kind, amount } of takenBack) {
    const request = key === null ? undefined : requested.get(key);
    // Books that went back have learnt of it from the gateway; the request for it came again afterwards.
    if (request?.status === "pending" && known.has(gatewayId)) {
      const reason = `It was made before, as ${gatewayId}.`;
      await refuseRefund(database, claimed.payment, request, { reason, now: now() });
      continue;
    }
    const refundId = request?.refundId ?? gatewayId;
    const back = { accountId, paymentId, refundId, kind, amount, now: now() };
    const { kind: outcome } = await postRefund(database, back);
    if (outcome === "posted")
      logger.info({ accountId, paymentId, refundId, amount: `${amount}` }, kind);
  }
}

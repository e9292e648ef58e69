import { type ClaimedPayment, putOffPayment } from "../../shared/ledger/payments/claim.ts";
import { postRefund } from "../../shared/ledger/payments/post-refund.ts";
import { listRefunds, type Refund, refuseRefund } from "../../shared/ledger/payments/refunds.ts";
import { OutcomeUnknown } from "./gateways/payment-gateway.ts";
import { refundKey } from "./payment-key.ts";
import type { TakingParts } from "./taking-parts.ts";

const TRY_AGAIN_MS = 30_000;

/**
 * Sends back what was asked for of a paid payment, and posts all that went back of it: what was asked
 * for here, what was refunded at the gateway itself, and what the bank took. Each once, by its
 * identity; the gateway is the truth, and asking it again changes nothing.
 */
export async function returnMoney(parts: TakingParts, claimed: ClaimedPayment): Promise<void> {
  const { database, logger, now } = parts;
  const { accountId, paymentId } = claimed.payment;
  const nextTry = (nextTryAt: number | null) =>
    putOffPayment(database, claimed, { nextTryAt, gatewayPayment: null, reason: null });
  const { gatewayPayment } = claimed;
  if (gatewayPayment === null) return nextTry(null);
  try {
    const refunds = await listRefunds(database, { accountId, paymentId });
    for (const refund of refunds) {
      if (refund.status === "pending") await sendBack(parts, claimed, gatewayPayment, refund);
    }
    await postAll(parts, claimed, gatewayPayment, refunds);
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

async function sendBack(
  { database, gateway, logger }: TakingParts,
  claimed: ClaimedPayment,
  gatewayPayment: string,
  refund: Refund,
): Promise<void> {
  const { accountId, paymentId } = claimed.payment;
  const { amount, refundId } = refund;
  const key = refundKey(claimed, refund);
  const answer = await gateway.refund({ key, gatewayPayment, amount });
  if (answer.kind !== "refused") return;
  logger.warn({ accountId, paymentId, refundId, reason: answer.reason }, "refund refused");
  await refuseRefund(database, claimed.payment, refund, answer.reason);
}

async function postAll(
  { database, gateway, logger, now }: TakingParts,
  claimed: ClaimedPayment,
  gatewayPayment: string,
  refunds: readonly Refund[],
): Promise<void> {
  const { accountId, paymentId } = claimed.payment;
  const asked = new Map(refunds.map((refund) => [refundKey(claimed, refund), refund.refundId]));
  for (const { key, gatewayId, kind, amount } of await gateway.takenBack(gatewayPayment)) {
    const refundId = (key === null ? undefined : asked.get(key)) ?? gatewayId;
    const back = { accountId, paymentId, refundId, kind, amount, now: now() };
    const { kind: outcome } = await postRefund(database, back);
    if (outcome === "posted")
      logger.info({ accountId, paymentId, refundId, amount: `${amount}` }, kind);
  }
}

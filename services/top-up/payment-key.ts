import { createHash } from "node:crypto";
import type { Instant } from "../../shared/core/line/account.ts";
import type { ClaimedPayment } from "../../shared/ledger/payments/claim.ts";
import type { ListedCharge } from "./gateways/payment-gateway.ts";

/**
 * What an attempt of a payment is known by at the gateway. It follows from the books alone, so that
 * whoever takes the payment there, and however often, says the same; the instant of the account's
 * creation tells it from the payment of an account of the same name in other books.
 */
export function paymentKey({ payment, accountCreatedAt }: ClaimedPayment): string {
  const { accountId, paymentId, attempt } = payment;
  return keyOf(["payment", accountId, accountCreatedAt, paymentId, attempt]);
}

/** More attempts than any payment has had. */
const MOST_ATTEMPTS = 100;

/** True when the charge was made for a payment of the account that was created then, and of no other books'. */
export function isKeyOfPayment(
  { key, accountId, paymentId }: ListedCharge,
  accountCreatedAt: Instant,
): boolean {
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    if (key === keyOf(["payment", accountId, accountCreatedAt, paymentId, attempt])) return true;
  }
  return false;
}

/** What a refund of a payment is known by at the gateway. */
export function refundKey(
  { payment, accountCreatedAt }: ClaimedPayment,
  { refundId }: { readonly refundId: string },
): string {
  return keyOf(["refund", payment.accountId, accountCreatedAt, payment.paymentId, refundId]);
}

/** Short enough for every gateway (Stripe: 255 characters), whatever the ids are. */
function keyOf(parts: readonly (string | number)[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

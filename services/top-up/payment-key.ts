import { createHash } from "node:crypto";
import type { Instant } from "../../shared/core/line/account.ts";
import type { ClaimedPayment } from "../../shared/ledger/payments/claim.ts";
import type { ListedCharge } from "./gateways/payment-gateway.ts";

/**
 * The idempotency key of a payment's attempt at the gateway. It follows from the books alone, so every
 * process sends the same key. The account's creation time distinguishes it from an account with the
 * same name in other books.
 */
export function paymentKey({ payment, accountCreatedAt }: ClaimedPayment): string {
  const { accountId, paymentId, attempt } = payment;
  return keyOf(["payment", accountId, accountCreatedAt, paymentId, attempt]);
}

/** More attempts than any payment has. */
const MOST_ATTEMPTS = 100;

/** True if the charge was made for a payment of these books: of the account created at that instant. */
export function isKeyOfPayment(
  { key, accountId, paymentId }: ListedCharge,
  accountCreatedAt: Instant,
): boolean {
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    if (key === keyOf(["payment", accountId, accountCreatedAt, paymentId, attempt])) return true;
  }
  return false;
}

/** The idempotency key of a refund at the gateway. */
export function refundKey(
  { payment, accountCreatedAt }: ClaimedPayment,
  { refundId }: { readonly refundId: string },
): string {
  return keyOf(["refund", payment.accountId, accountCreatedAt, payment.paymentId, refundId]);
}

/** Hashed, so that it fits every gateway (Stripe: 255 characters). */
function keyOf(parts: readonly (string | number)[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

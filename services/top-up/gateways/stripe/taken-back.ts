import type Stripe from "stripe";
import type { TakenBack } from "../payment-gateway.ts";
import { fromStripeAmount } from "./amount.ts";

/** Null if the refund failed or was canceled. */
export function takenByRefund(refund: Stripe.Refund): TakenBack | null {
  if (refund.status === "failed" || refund.status === "canceled") return null;
  return taken(refund, "refund", refund.metadata?.["key"] ?? null);
}

/** A dispute as a chargeback; null if the bank has not taken the money, or has returned it. */
export function takenByDispute(dispute: Stripe.Dispute): TakenBack | null {
  return holdsMoney(dispute) ? taken(dispute, "chargeback", null) : null;
}

function holdsMoney({ status, balance_transactions }: Stripe.Dispute): boolean {
  switch (status) {
    case "needs_response":
    case "under_review":
    case "lost":
    case "appeal_needs_response":
    case "appeal_under_review":
      return true;
    case "won":
    case "warning_needs_response": // an inquiry, not yet a dispute
    case "warning_under_review":
    case "warning_closed":
      return false;
    default: // prevented, where money may or may not have been taken, and future statuses
      return balance_transactions.reduce((sum, { amount }) => sum + amount, 0) < 0;
  }
}

function taken(
  { id, amount, currency }: Stripe.Refund | Stripe.Dispute,
  kind: TakenBack["kind"],
  key: string | null,
): TakenBack | null {
  const inBooks = fromStripeAmount(amount, currency.toUpperCase());
  return inBooks > 0n ? { gatewayId: id, key, kind, amount: inBooks } : null;
}

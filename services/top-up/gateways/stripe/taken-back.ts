import type Stripe from "stripe";
import type { TakenBack } from "../payment-gateway.ts";
import { fromStripeAmount } from "./amount.ts";

/** What a refund gives back; null where it failed or was canceled, and the money stayed. */
export function takenByRefund(refund: Stripe.Refund): TakenBack | null {
  if (refund.status === "failed" || refund.status === "canceled") return null;
  return taken(refund, "refund", refund.metadata?.["key"] ?? null);
}

/** What the customer's bank holds by a dispute; null where it holds nothing (any more). */
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
    case "warning_needs_response": // an inquiry: a question, not yet a dispute
    case "warning_under_review":
    case "warning_closed":
      return false;
    default: // prevented, which may have cost the money or not, and what Stripe may add
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

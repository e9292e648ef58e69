import Stripe from "stripe";
import type { Decline } from "../../../../shared/core/payments/decline.ts";
import type { ChargeState } from "../payment-gateway.ts";
import { declineAs, declineOf } from "./declines.ts";

/** The state of a charge after the call that made it has ended. */
export function chargeState(intent: Stripe.PaymentIntent): ChargeState {
  switch (intent.status) {
    case "succeeded":
      return { kind: "succeeded", gatewayPayment: intent.id };
    case "requires_action":
      return declined(intent.id, declineOf("authentication_required"));
    case "canceled":
      return declined(intent.id, declineAs("hard", "canceled"));
    case "requires_payment_method":
    case "requires_confirmation":
      return declined(intent.id, declineOf(codeOf(intent.last_payment_error) ?? "not_confirmed"));
    default: // processing, requires_capture, and future statuses: neither paid nor abandoned yet
      return { kind: "processing", gatewayPayment: intent.id };
  }
}

/**
 * Longer than Stripe lets any call run. Until then an intent without an error may still be in progress
 * rather than abandoned.
 */
const CALL_UNDER_WAY_MS = 10 * 60 * 1000;

/** The state of a charge at `now` (milliseconds), whether or not its call has ended. */
export function chargeStateAt(intent: Stripe.PaymentIntent, now: number): ChargeState {
  const undecided =
    intent.status === "requires_confirmation" ||
    (intent.status === "requires_payment_method" && !intent.last_payment_error);
  return undecided && now - intent.created * 1000 < CALL_UNDER_WAY_MS
    ? { kind: "processing", gatewayPayment: intent.id }
    : chargeState(intent);
}

/**
 * The decline that a Stripe error means; null if it means none. An invalid request is a hard decline:
 * the customer or the card no longer exists, or belongs to another Stripe account.
 */
export function declinedBy(error: unknown): ChargeState | null {
  if (error instanceof Stripe.errors.StripeCardError) {
    return declined(
      error.payment_intent?.id ?? null,
      declineOf(codeOf(error) ?? "generic_decline"),
    );
  }
  if (error instanceof Stripe.errors.StripeInvalidRequestError) {
    const decline = declineAs("hard", error.code ?? "invalid_request");
    return declined(error.payment_intent?.id ?? null, decline);
  }
  return null;
}

export function declined(gatewayPayment: string | null, decline: Decline): ChargeState {
  return { kind: "declined", gatewayPayment, decline };
}

/** The bank's reason, else Stripe's. Stripe leaves either out, or empty. */
function codeOf(error: { decline_code?: string; code?: string } | null): string | undefined {
  return error?.decline_code || error?.code || undefined;
}

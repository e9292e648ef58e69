import Stripe from "stripe";
import type { Decline } from "../../../../shared/core/payments/decline.ts";
import type { ChargeState } from "../payment-gateway.ts";
import { declineAs, declineOf } from "./declines.ts";

/** What Stripe knows of a charge once the call that made it has ended. */
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
    default: // processing, requires_capture, and what Stripe may add: neither paid nor given up yet
      return { kind: "processing", gatewayPayment: intent.id };
  }
}

/**
 * For so long Stripe may still be at work on the call that made an intent: longer than it lets any
 * call run. Until then an intent without a word on why it failed is not an abandoned one.
 */
const CALL_UNDER_WAY_MS = 10 * 60 * 1000;

/** What Stripe knows of a charge when asked at `now` (milliseconds), be its call ended or not. */
export function chargeStateAt(intent: Stripe.PaymentIntent, now: number): ChargeState {
  const undecided =
    intent.status === "requires_confirmation" ||
    (intent.status === "requires_payment_method" && !intent.last_payment_error);
  return undecided && now - intent.created * 1000 < CALL_UNDER_WAY_MS
    ? { kind: "processing", gatewayPayment: intent.id }
    : chargeState(intent);
}

/**
 * The decline that an error of Stripe's stands for; null when it is none. A request that Stripe
 * finds wrong took no money either, and never will with this customer and card: they are gone, or
 * belong to another Stripe account.
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

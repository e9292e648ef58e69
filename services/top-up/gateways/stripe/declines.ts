import type { Decline, DeclineReason } from "../../../../shared/core/payments/decline.ts";

/**
 * What Stripe's decline codes and error codes mean, by https://docs.stripe.com/declines/codes. Hard: the
 * card cannot work, as it is closed, wrong, blocked, or not meant for such payments. The reason is shown
 * to the customer; a lost or stolen card, or suspected fraud, has none, since the reader may be the thief.
 */
const CODES: readonly (readonly [string, Decline["kind"], DeclineReason | null])[] = [
  ["amount_not_representable", "soft", "amount_not_representable"],
  ["amount_too_large", "soft", "amount_too_large"],
  ["amount_too_small", "soft", "amount_too_small"],
  ["authentication_not_handled", "needs_customer", null],
  ["authentication_required", "needs_customer", null],
  ["canceled", "soft", "canceled"],
  ["card_not_supported", "hard", "not_supported"],
  ["card_velocity_exceeded", "soft", "limit_reached"],
  ["currency_not_supported", "hard", "wrong_currency"],
  ["do_not_try_again", "hard", null],
  ["expired_card", "hard", "expired"],
  ["fraudulent", "hard", null],
  ["incorrect_cvc", "hard", "wrong_cvc"],
  ["incorrect_number", "hard", "wrong_number"],
  ["incorrect_pin", "needs_customer", null],
  ["insufficient_funds", "soft", "insufficient_funds"],
  ["invalid_account", "hard", "not_valid"],
  ["invalid_cvc", "hard", "wrong_cvc"],
  ["invalid_expiry_month", "hard", "wrong_expiry"],
  ["invalid_expiry_year", "hard", "wrong_expiry"],
  ["invalid_number", "hard", "wrong_number"],
  ["invalid_pin", "needs_customer", null],
  ["issuer_not_available", "soft", "bank_failed"],
  ["lost_card", "hard", null],
  ["merchant_blacklist", "hard", null],
  ["mobile_device_authentication_required", "needs_customer", null],
  ["new_account_information_available", "hard", "not_valid"],
  ["not_permitted", "hard", null],
  ["offline_pin_required", "needs_customer", null],
  ["online_or_offline_pin_required", "needs_customer", null],
  ["payment_intent_authentication_failure", "needs_customer", null],
  ["pickup_card", "hard", null],
  ["processing_error", "soft", "bank_failed"],
  ["reenter_transaction", "soft", "bank_failed"],
  ["resource_missing", "soft", "card_removed"],
  ["restricted_card", "hard", null],
  ["revocation_of_all_authorizations", "hard", "payments_stopped"],
  ["revocation_of_authorization", "hard", "payments_stopped"],
  ["security_violation", "hard", null],
  ["service_not_allowed", "hard", null],
  ["stolen_card", "hard", null],
  ["stop_payment_order", "hard", "payments_stopped"],
  ["testmode_decline", "hard", null],
  ["transaction_not_allowed", "hard", null],
  ["try_again_later", "soft", "bank_failed"],
  ["withdrawal_count_limit_exceeded", "soft", "limit_reached"],
];

const MEANINGS = new Map(CODES.map(([code, kind, reason]) => [code, { kind, reason }]));

/**
 * Classifies a code. Unlisted codes, such as future ones, are soft: growing waits and a limit of attempts
 * already protect such cards.
 */
export function declineOf(code: string): Decline {
  return declineAs(MEANINGS.get(code)?.kind ?? "soft", code);
}

/** A decline whose kind does not follow from its code. */
export function declineAs(kind: Decline["kind"], code: string): Decline {
  return { kind, reason: MEANINGS.get(code)?.reason ?? null, code };
}

import type { Decline, DeclineReason } from "../../../../shared/core/payments/decline.ts";

/** Stripe's decline codes and error codes, by https://docs.stripe.com/declines/codes. */

/** The card cannot work: it is closed, wrong, blocked, or not meant for such payments. */
const HARD: ReadonlySet<string> = new Set([
  "card_not_supported",
  "currency_not_supported",
  "do_not_try_again",
  "expired_card",
  "fraudulent",
  "incorrect_cvc",
  "incorrect_number",
  "invalid_account",
  "invalid_cvc",
  "invalid_expiry_month",
  "invalid_expiry_year",
  "invalid_number",
  "lost_card",
  "merchant_blacklist",
  "new_account_information_available",
  "not_permitted",
  "pickup_card",
  "restricted_card",
  "revocation_of_all_authorizations",
  "revocation_of_authorization",
  "security_violation",
  "service_not_allowed",
  "stolen_card",
  "stop_payment_order",
  "testmode_decline",
  "transaction_not_allowed",
]);

const NEEDS_CUSTOMER: ReadonlySet<string> = new Set([
  "authentication_not_handled",
  "authentication_required",
  "incorrect_pin",
  "invalid_pin",
  "mobile_device_authentication_required",
  "offline_pin_required",
  "online_or_offline_pin_required",
  "payment_intent_authentication_failure",
]);

/**
 * The reason shown to the customer. A lost or stolen card, or suspected fraud, has none here, since the
 * reader may be the thief.
 */
const REASONS: ReadonlyMap<string, DeclineReason> = new Map([
  ["amount_not_representable", "amount_not_representable"],
  ["amount_too_large", "amount_too_large"],
  ["amount_too_small", "amount_too_small"],
  ["canceled", "canceled"],
  ["card_not_supported", "not_supported"],
  ["card_velocity_exceeded", "limit_reached"],
  ["currency_not_supported", "wrong_currency"],
  ["expired_card", "expired"],
  ["incorrect_cvc", "wrong_cvc"],
  ["incorrect_number", "wrong_number"],
  ["insufficient_funds", "insufficient_funds"],
  ["invalid_account", "not_valid"],
  ["invalid_cvc", "wrong_cvc"],
  ["invalid_expiry_month", "wrong_expiry"],
  ["invalid_expiry_year", "wrong_expiry"],
  ["invalid_number", "wrong_number"],
  ["issuer_not_available", "bank_failed"],
  ["new_account_information_available", "not_valid"],
  ["processing_error", "bank_failed"],
  ["reenter_transaction", "bank_failed"],
  ["resource_missing", "card_removed"],
  ["revocation_of_all_authorizations", "payments_stopped"],
  ["revocation_of_authorization", "payments_stopped"],
  ["stop_payment_order", "payments_stopped"],
  ["try_again_later", "bank_failed"],
  ["withdrawal_count_limit_exceeded", "limit_reached"],
]);

/**
 * Classifies a code. Unlisted codes, such as `insufficient_funds` and future ones, are soft: growing
 * waits and a limit of attempts already protect such cards.
 */
export function declineOf(code: string): Decline {
  if (NEEDS_CUSTOMER.has(code)) return declineAs("needs_customer", code);
  return declineAs(HARD.has(code) ? "hard" : "soft", code);
}

/** A decline whose kind does not follow from its code. */
export function declineAs(kind: Decline["kind"], code: string): Decline {
  return { kind, reason: REASONS.get(code) ?? null, code };
}

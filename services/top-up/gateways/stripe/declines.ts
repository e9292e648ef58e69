import type { Decline } from "../../../../shared/core/payments/decline.ts";

/** Stripe's decline codes and error codes, by https://docs.stripe.com/declines/codes. */

/** The card will never do: it is gone, wrong, blocked, or not made for such payments. */
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
 * What a code means for what to do next. All others are soft, `insufficient_funds` and
 * `do_not_honor` as much as a code that Stripe invents tomorrow: the growing waits and the limit of
 * tries are what a doubtful card gets anyway.
 */
export function declineOf(code: string): Decline {
  if (HARD.has(code)) return { kind: "hard", code };
  return { kind: NEEDS_CUSTOMER.has(code) ? "needs_customer" : "soft", code };
}

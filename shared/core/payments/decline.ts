import { toSentence } from "../text/text.ts";

/** What is said wherever something cannot be paid since there is nothing to charge. */
export const NO_PAYMENT_METHOD = "there is no payment method; add one to pay";

/** Why a payment was declined, as far as it matters for what to do next. */
export interface Decline {
  /**
   * `soft`: the same card may do later; `hard`: it never will, another is needed; `needs_customer`:
   * the customer has to approve it in person.
   */
  readonly kind: "soft" | "hard" | "needs_customer";
  /** The gateway's code, such as `insufficient_funds`. */
  readonly code: string;
}

/**
 * Why a payment was declined, in words for the customer. Of a card that is reported lost or stolen,
 * or suspected of fraud, it says no more than of any other that will not do: whoever reads it may be
 * the thief.
 */
export function declineReason({ kind, code }: Decline): string {
  return REASONS.get(code) ?? REASON_OF_KIND[kind];
}

const REASON_OF_KIND: Readonly<Record<Decline["kind"], string>> = {
  soft: "The bank declined the payment.",
  hard: "The payment was declined: another card is needed.",
  needs_customer: "The bank asks you to approve the payment yourself.",
};

const LIMIT_REACHED = "The bank declined the payment: a limit of the card is reached.";
const BANK_FAILED = "The bank could not handle the payment.";
const WRONG_NUMBER = "The card number is not right.";
const WRONG_CVC = "The card's security code is not right.";
const WRONG_EXPIRY = "The card's expiry date is not right.";
const NOT_VALID = "The card is no longer valid.";
const STOPPED = "The bank was told to stop payments to us from this card.";

/** By the codes of Stripe, which the simulated gateway uses too. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ["expired_card", "The card has expired."],
  ["insufficient_funds", "The bank declined the payment: the card does not have enough funds."],
  ["card_velocity_exceeded", LIMIT_REACHED],
  ["withdrawal_count_limit_exceeded", LIMIT_REACHED],
  ["issuer_not_available", BANK_FAILED],
  ["processing_error", BANK_FAILED],
  ["reenter_transaction", BANK_FAILED],
  ["try_again_later", BANK_FAILED],
  ["incorrect_number", WRONG_NUMBER],
  ["invalid_number", WRONG_NUMBER],
  ["incorrect_cvc", WRONG_CVC],
  ["invalid_cvc", WRONG_CVC],
  ["invalid_expiry_month", WRONG_EXPIRY],
  ["invalid_expiry_year", WRONG_EXPIRY],
  ["invalid_account", NOT_VALID],
  ["new_account_information_available", NOT_VALID],
  ["card_not_supported", "The card cannot be used for this kind of payment."],
  ["currency_not_supported", "The card cannot be used in this currency."],
  ["revocation_of_all_authorizations", STOPPED],
  ["revocation_of_authorization", STOPPED],
  ["stop_payment_order", STOPPED],
  ["amount_not_representable", "This amount cannot be charged in this currency."],
  ["amount_too_large", "The amount is too large to be charged."],
  ["amount_too_small", "The amount is too small to be charged."],
  ["resource_missing", "The saved card is no longer there: another card is needed."],
  ["no_payment_method", toSentence(NO_PAYMENT_METHOD)],
  ["never_reached", "The payment could not be taken to the bank."],
  ["canceled", "The payment was canceled."],
]);

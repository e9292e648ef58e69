import { toSentence } from "../text/text.ts";

/** Shown wherever a payment fails for want of a payment method. */
export const NO_PAYMENT_METHOD = "there is no payment method; add one to pay";

/** Why a payment was declined. */
export interface Decline {
  /** `soft`: the card may work later; `hard`: another is needed; `needs_customer`: the customer must approve. */
  readonly kind: "soft" | "hard" | "needs_customer";
  /** The reason to show to the customer; null: only the kind is known. */
  readonly reason: DeclineReason | null;
  /** The gateway's own code, for the log. */
  readonly code: string;
}

const REASONS = {
  expired: "The card has expired.",
  insufficient_funds: "The bank declined the payment: the card does not have enough funds.",
  limit_reached: "The bank declined the payment: a limit of the card is reached.",
  bank_failed: "The bank could not handle the payment.",
  wrong_number: "The card number is not right.",
  wrong_cvc: "The card's security code is not right.",
  wrong_expiry: "The card's expiry date is not right.",
  not_valid: "The card is no longer valid.",
  not_supported: "The card cannot be used for this kind of payment.",
  wrong_currency: "The card cannot be used in this currency.",
  payments_stopped: "The bank was told to stop payments to us from this card.",
  amount_not_representable: "This amount cannot be charged in this currency.",
  amount_too_large: "The amount is too large to be charged.",
  amount_too_small: "The amount is too small to be charged.",
  card_removed: "The saved card is no longer there: another card is needed.",
  no_payment_method: toSentence(NO_PAYMENT_METHOD),
  never_reached: "The payment could not be taken to the bank.",
  canceled: "The payment was canceled.",
} as const;

export type DeclineReason = keyof typeof REASONS;

const REASON_OF_KIND: Readonly<Record<Decline["kind"], string>> = {
  soft: "The bank declined the payment.",
  hard: "The payment was declined: another card is needed.",
  needs_customer: "The bank asks you to approve the payment yourself.",
};

/** Why a payment was declined, as a sentence for the customer. */
export function declineReason({ kind, reason }: Decline): string {
  return reason === null ? REASON_OF_KIND[kind] : REASONS[reason];
}

import { describe, expect, test } from "vitest";
import { declineAs } from "../../../../services/top-up/gateways/stripe/declines.ts";
import { type Decline, declineReason } from "../../../../shared/core/payments/decline.ts";

const GENERIC_HARD = "The payment was declined: another card is needed.";
const NEEDS_CUSTOMER = "The bank asks you to approve the payment yourself.";

type Row = readonly [Decline["kind"], string, string];

describe("the customer reads in words why a payment was declined", () => {
  test.each<Row>([
    ["hard", "expired_card", "The card has expired."],
    [
      "soft",
      "insufficient_funds",
      "The bank declined the payment: the card does not have enough funds.",
    ],
    [
      "soft",
      "card_velocity_exceeded",
      "The bank declined the payment: a limit of the card is reached.",
    ],
    ["soft", "processing_error", "The bank could not handle the payment."],
    ["hard", "incorrect_number", "The card number is not right."],
    ["hard", "currency_not_supported", "The card cannot be used in this currency."],
    ["hard", "stop_payment_order", "The bank was told to stop payments to us from this card."],
    ["hard", "resource_missing", "The saved card is no longer there: another card is needed."],
    ["hard", "amount_not_representable", "This amount cannot be charged in this currency."],
    ["hard", "amount_too_small", "The amount is too small to be charged."],
    ["needs_customer", "authentication_required", NEEDS_CUSTOMER],
  ])("%s %s", (kind, code, reason) => {
    expect(declineReason(declineAs(kind, code))).toBe(reason);
  });
});

describe("a code without its own words is described by its kind", () => {
  test.each<Row>([
    ["soft", "do_not_honor", "The bank declined the payment."],
    ["soft", "a_code_of_tomorrow", "The bank declined the payment."],
    ["soft", "constructor", "The bank declined the payment."],
    ["hard", "transaction_not_allowed", GENERIC_HARD],
    ["needs_customer", "offline_pin_required", NEEDS_CUSTOMER],
  ])("%s %s", (kind, code, reason) => {
    expect(declineReason(declineAs(kind, code))).toBe(reason);
  });
});

test.each([
  "stolen_card",
  "lost_card",
  "pickup_card",
  "restricted_card",
  "fraudulent",
  "merchant_blacklist",
  "security_violation",
])("for %s the customer reads no more than for any card that will not do", (code) => {
  expect(declineReason(declineAs("hard", code))).toBe(GENERIC_HARD);
});

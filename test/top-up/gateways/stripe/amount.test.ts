import { describe, expect, test } from "vitest";
import {
  fromStripeAmount,
  toStripeAmount,
} from "../../../../services/top-up/gateways/stripe/amount.ts";

describe("the books' minor unit and Stripe's", () => {
  test.each([
    ["USD", 1099n, 1099],
    ["EUR", 1n, 1],
    ["TWD", 80_045n, 80_045],
    ["JPY", 500n, 500],
    ["MGA", 500n, 500],
    ["XOF", 500n, 500],
    ["KWD", 5120n, 5120],
    ["BHD", 10n, 10],
    ["ISK", 5n, 500],
    ["UGX", 5n, 500],
    ["HUF", 175n, 17_500],
    ["IDR", 10_000n, 1_000_000],
    ["PKR", 300n, 30_000],
  ])("%s: %s is %s at Stripe, and back", (currency, inBooks, atStripe) => {
    expect(toStripeAmount(inBooks, currency)).toBe(atStripe);
    expect(fromStripeAmount(atStripe, currency)).toBe(inBooks);
  });
});

test.each([
  ["KWD", 5124n],
  ["TND", 1n],
  ["LYD", 5n],
])("Stripe has no amount for %s %s", (currency, amount) => {
  expect(toStripeAmount(amount, currency)).toBeNull();
});

test("a Stripe amount between two of the books' amounts becomes the lower one", () => {
  expect(fromStripeAmount(1045, "HUF")).toBe(10n);
  expect(fromStripeAmount(99, "HUF")).toBe(0n);
});

test("an amount that a number does not represent exactly in Stripe's units is refused", () => {
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  expect(() => toStripeAmount(most + 1n, "USD")).toThrow(RangeError);
  expect(() => toStripeAmount(most / 100n + 1n, "HUF")).toThrow(RangeError);
});

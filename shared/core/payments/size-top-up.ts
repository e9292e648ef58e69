import type { MicroCredits } from "../line/credit-line.ts";
import type { CreditPrice } from "../offer/catalogue.ts";
import { minorUnitsOf } from "../text/money.ts";

/** The micro-credits that `amount` (minor units) buys, rounded up in the customer's favour. */
export function creditsFor(amount: bigint, { currency, credits }: CreditPrice): MicroCredits {
  const perUnit = minorUnitsOf(currency);
  return (amount * credits + perUnit - 1n) / perUnit;
}

/**
 * The number of times `amount` (minor units) must be charged to bring a balance that is `below` (at
 * least 0) micro-credits under its threshold above it; at least 1.
 */
export function timesToLift(amount: bigint, below: MicroCredits, price: CreditPrice): bigint {
  return (below * minorUnitsOf(price.currency)) / (amount * price.credits) + 1n;
}

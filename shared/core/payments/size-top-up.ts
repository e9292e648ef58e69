import type { MicroCredits } from "../line/credit-line.ts";
import type { CreditPrice } from "../offer/catalogue.ts";
import { minorUnitsOf } from "../text/money.ts";

/**
 * The micro-credits that `amount` (minor units) buys: exact, and what is left of a micro-credit is
 * rounded up, in the customer's favour.
 */
export function creditsFor(amount: bigint, { currency, credits }: CreditPrice): MicroCredits {
  const perUnit = minorUnitsOf(currency);
  return (amount * credits + perUnit - 1n) / perUnit;
}

/**
 * How many times `amount` has to be charged at once to bring a balance that lies `below` (at least 0)
 * micro-credits below its threshold above it: at least once.
 */
export function timesToLift(amount: bigint, below: MicroCredits, price: CreditPrice): bigint {
  return (below * minorUnitsOf(price.currency)) / (amount * price.credits) + 1n;
}

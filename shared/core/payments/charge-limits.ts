import type { Refusal } from "../line/refusal.ts";
import { minorUnitsOf } from "../text/money.ts";

/**
 * The least that a card is charged, in minor units: below it no gateway takes a payment. Source:
 * Stripe's "Minimum and maximum charge amounts". Of other currencies the gateway itself tells.
 */
const LEAST: ReadonlyMap<string, bigint> = new Map([
  ["AED", 200n],
  ["AUD", 50n],
  ["BRL", 50n],
  ["CAD", 50n],
  ["CHF", 50n],
  ["CZK", 1500n],
  ["DKK", 250n],
  ["EUR", 50n],
  ["GBP", 30n],
  ["HKD", 400n],
  ["HUF", 175n],
  ["INR", 50n],
  ["JPY", 50n],
  ["MXN", 1000n],
  ["MYR", 200n],
  ["NOK", 300n],
  ["NZD", 50n],
  ["PLN", 200n],
  ["RON", 200n],
  ["SEK", 300n],
  ["SGD", 50n],
  ["THB", 1000n],
  ["USD", 50n],
]);

/** The most that one payment takes, in minor units: eight digits, by the same source. */
export const MOST_CHARGED = 99_999_999n;

/** The least amount of a payment in a currency, in its minor unit; at least 1. */
export function leastCharged(currency: string): bigint {
  return LEAST.get(currency) ?? 1n;
}

/** Why no payment takes an amount, in minor units, or null where one does. */
export function refuseAmount(
  amount: bigint,
  currency: string,
): Refusal<"below_minimum" | "above_maximum"> | null {
  const least = leastCharged(currency);
  if (amount < least) return { kind: "below_minimum", least, currency };
  return amount > MOST_CHARGED ? { kind: "above_maximum", most: MOST_CHARGED, currency } : null;
}

const USUAL_UNITS = 10n;
/** Where a unit is worth about as much as elsewhere a hundredth. */
const USUAL_UNITS_WITHOUT_DECIMALS = 1_000n;

/**
 * What is topped up unless the customer chose another amount: USD 10, EUR 10, JPY 1,000, or the least
 * that is charged where that is more. In minor units.
 */
export function usualTopUp(currency: string): bigint {
  const perUnit = minorUnitsOf(currency);
  const usual = perUnit === 1n ? USUAL_UNITS_WITHOUT_DECIMALS : USUAL_UNITS * perUnit;
  const least = leastCharged(currency);
  return usual < least ? least : usual;
}

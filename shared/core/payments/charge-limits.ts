import type { Refusal } from "../line/refusal.ts";
import { minorUnitsOf } from "../text/money.ts";

/**
 * The minimum charge per currency, in minor units. Source: Stripe's "Minimum and maximum charge
 * amounts". In other currencies only the gateway knows.
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

/** The maximum of one payment, in minor units: eight digits, by the same source. */
export const MOST_CHARGED = 99_999_999n;

/** The minimum of a payment in a currency, in its minor unit; at least 1. */
export function leastCharged(currency: string): bigint {
  return LEAST.get(currency) ?? 1n;
}

/** Why an amount, in minor units, cannot be charged; null: it can. */
export function refuseAmount(
  amount: bigint,
  currency: string,
): Refusal<"below_minimum" | "above_maximum"> | null {
  const least = leastCharged(currency);
  if (amount < least) return { kind: "below_minimum", least, currency };
  return amount > MOST_CHARGED ? { kind: "above_maximum", most: MOST_CHARGED, currency } : null;
}

const USUAL_UNITS = 10n;
/** In zero-decimal currencies, such as JPY. */
const USUAL_UNITS_WITHOUT_DECIMALS = 1_000n;

/** The default amount of a top-up, in minor units: USD 10, EUR 10, JPY 1,000, or the minimum if that is more. */
export function usualTopUp(currency: string): bigint {
  const perUnit = minorUnitsOf(currency);
  const usual = perUnit === 1n ? USUAL_UNITS_WITHOUT_DECIMALS : USUAL_UNITS * perUnit;
  const least = leastCharged(currency);
  return usual < least ? least : usual;
}

import type { Refusal } from "../line/refusal.ts";
import { minorUnitsOf } from "../text/money.ts";

/** A currency to charge in. */
export interface ChargeCurrency {
  /** ISO 4217. */
  readonly currency: string;
  /** The gateway's minimum in it, in its minor unit; 1 if the gateway has named none. */
  readonly minimumCharge: bigint;
  /** The seller's defaults for accounts that pay in it; null: the usual ones. */
  readonly defaultCeilings: Ceilings | null;
}

/** The most that the seller lets an account be charged for top-ups, in the currency's minor unit. */
export interface Ceilings {
  /** One top-up. */
  readonly amount: bigint;
  /** All top-ups of a day and of a month of the account's time zone. */
  readonly perDay: bigint;
  readonly perMonth: bigint;
}

/**
 * The product's own maximum of one payment, in minor units of any currency. Gateways do not set it;
 * Stripe's usual maximum is the same eight digits.
 */
export const MOST_CHARGED = 99_999_999n;

/** Why an amount, in minor units, cannot be charged; null: it can. */
export function refuseAmount(
  amount: bigint,
  { currency, minimumCharge: least }: Pick<ChargeCurrency, "currency" | "minimumCharge">,
): Refusal<"below_minimum" | "above_maximum"> | null {
  if (amount < least) return { kind: "below_minimum", least, currency };
  return amount > MOST_CHARGED ? { kind: "above_maximum", most: MOST_CHARGED, currency } : null;
}

const USUAL_UNITS = 10n;
/** In zero-decimal currencies, such as JPY. */
const USUAL_UNITS_WITHOUT_DECIMALS = 1_000n;

/** The default amount of a top-up, in minor units: USD 10, EUR 10, JPY 1,000, or the minimum if that is more. */
export function usualTopUp({
  currency,
  minimumCharge,
}: Pick<ChargeCurrency, "currency" | "minimumCharge">): bigint {
  const perUnit = minorUnitsOf(currency);
  const usual = perUnit === 1n ? USUAL_UNITS_WITHOUT_DECIMALS : USUAL_UNITS * perUnit;
  return usual < minimumCharge ? minimumCharge : usual;
}

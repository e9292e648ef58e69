import { decimalsOf } from "../../../../shared/core/text/money.ts";

/*
 * Stripe's minor unit differs from that of the books for some currencies, by a factor of 100: the books
 * count HUF, IDR, PKR and others in whole units, Stripe in hundredths. Source of the lists:
 * https://docs.stripe.com/currencies ("Zero-decimal currencies", "Three-decimal currencies", "Special
 * cases"). Every other currency has two decimals.
 */

/** UGX is on Stripe's list too, but by its special case 5 UGX are sent as 500, like ISK. */
const NO_DECIMALS: ReadonlySet<string> = new Set(
  "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split(" "),
);
const THREE_DECIMALS: ReadonlySet<string> = new Set("BHD JOD KWD OMR TND".split(" "));

/**
 * Converts `amount` from the books' minor unit of `currency` (ISO 4217, in capitals) to Stripe's. Null
 * if Stripe cannot represent it: with three decimals, the last digit must be 0. Throws a RangeError
 * beyond the safe integers.
 */
export function toStripeAmount(amount: bigint, currency: string): number | null {
  const scaled = amount * 10n ** BigInt(stripeDecimals(currency));
  const unit = 10n ** BigInt(decimalsOf(currency));
  const whole = scaled / unit;
  if (whole * unit !== scaled) return null;
  if (THREE_DECIMALS.has(currency) && whole % 10n !== 0n) return null;
  if (whole > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(
      `${amount} of ${currency}'s minor units are more than can be sent exactly`,
    );
  }
  return Number(whole);
}

/**
 * Converts Stripe's `amount` to the books' minor unit, rounded down so that parts never add up to more
 * than the whole. Fractions (HUF 10.45) arise only in Stripe's dashboard.
 */
export function fromStripeAmount(amount: number, currency: string): bigint {
  return (
    (BigInt(amount) * 10n ** BigInt(decimalsOf(currency))) / 10n ** BigInt(stripeDecimals(currency))
  );
}

function stripeDecimals(currency: string): number {
  if (NO_DECIMALS.has(currency)) return 0;
  return THREE_DECIMALS.has(currency) ? 3 : 2;
}

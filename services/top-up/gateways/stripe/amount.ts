import { decimalsOf } from "../../../../shared/core/text/money.ts";

/*
 * Stripe's minor unit is not everywhere that of the books, and mistaking it is off by a factor of
 * 100: the books count HUF, IDR, PKR and others in whole units, Stripe in hundredths. Its lists are
 * those of https://docs.stripe.com/currencies ("Zero-decimal currencies", "Three-decimal
 * currencies", "Special cases"); every other currency has two decimals.
 */

/** UGX is on Stripe's list too, but its special case says that 5 UGX are sent as 500; as for ISK. */
const NO_DECIMALS: ReadonlySet<string> = new Set(
  "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split(" "),
);
const THREE_DECIMALS: ReadonlySet<string> = new Set("BHD JOD KWD OMR TND".split(" "));

/**
 * `amount`, in the books' minor unit of `currency` (ISO 4217, in capitals), as Stripe writes it;
 * null where Stripe cannot: with three decimals, the last digit must be 0. Throws a RangeError when
 * it is more than a number holds exactly.
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
 * What Stripe writes as `amount`, in the books' minor unit. What is less than one is dropped, so that
 * parts never add up to more than the whole: HUF 10.45 can only be made in Stripe's dashboard.
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

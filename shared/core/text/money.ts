import { MAX_BIGINT } from "../line/credit-line.ts";

/** Money is a `bigint` in its currency's minor unit: cents for USD, yen for JPY, fils for KWD. */

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));
const DECIMAL = /^(\d+)(?:\.(\d+))?$/;

/** True when `text` is a currency's code of ISO 4217, in capitals. */
export function isCurrency(text: string): boolean {
  return CURRENCIES.has(text);
}

/**
 * Reads money as a person writes it ("29", "29.90"), exactly, into minor units. Throws a RangeError
 * that says why when `text` is no such amount, is negative, has more decimals than the currency or
 * is more than 64 bits hold. `currency` is one that `isCurrency` knows.
 */
export function parseMoney(text: string, currency: string): bigint {
  const [, whole, fraction = ""] = DECIMAL.exec(text) ?? [];
  if (whole === undefined) {
    throw new RangeError(
      /^-\d/.test(text)
        ? `${text} ${currency} is below zero`
        : `"${text}" is not an amount of ${currency}; write it like ${formatMoney(2900n, currency)}`,
    );
  }
  const decimals = decimalsOf(currency);
  if (fraction.length > decimals) {
    throw new RangeError(`${text} has more decimals than the ${decimals} of ${currency}`);
  }
  const amount = BigInt(whole + fraction.padEnd(decimals, "0"));
  if (amount > MAX_BIGINT) {
    const most = formatMoney(MAX_BIGINT, currency);
    throw new RangeError(`${text} ${currency} is more than the ${most} possible`);
  }
  return amount;
}

/** Writes minor units (at least 0) with all the currency's decimals: what `parseMoney` reads. */
export function formatMoney(amount: bigint, currency: string): string {
  const decimals = decimalsOf(currency);
  const digits = amount.toString().padStart(decimals + 1, "0");
  if (decimals === 0) return digits;
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** Minor units as people read them: "USD 9.90". */
export function moneyText(amount: bigint, currency: string): string {
  return `${currency} ${formatMoney(amount, currency)}`;
}

/** How many minor units make one unit of the currency: USD 100, JPY 1, KWD 1,000. */
export function minorUnitsOf(currency: string): bigint {
  return 10n ** BigInt(decimalsOf(currency));
}

const decimalsKnown = new Map<string, number>();

/** How many decimals the currency's minor unit makes: USD 2, JPY 0, KWD 3. */
export function decimalsOf(currency: string): number {
  const known = decimalsKnown.get(currency);
  if (known !== undefined) return known;
  const format = new Intl.NumberFormat("en", { style: "currency", currency });
  const decimals = format.resolvedOptions().maximumFractionDigits ?? 0;
  decimalsKnown.set(currency, decimals);
  return decimals;
}

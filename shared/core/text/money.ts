import { MAX_BIGINT } from "../line/credit-line.ts";
import { parseDecimal } from "./decimal.ts";

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));

/** True for a currency code of ISO 4217, in capitals. */
export function isCurrency(text: string): boolean {
  return CURRENCIES.has(text);
}

/**
 * Parses money as a person writes it ("29", "29.90") into the currency's minor unit. Throws a RangeError
 * with the reason if `text` is not such an amount, is negative, has more decimals than the currency or
 * exceeds 64 bits. `currency` is one that `isCurrency` accepts.
 */
export function parseMoney(text: string, currency: string): bigint {
  const decimals = decimalsOf(currency);
  return parseDecimal(text, decimals, {
    negative: `${text} ${currency} is below zero`,
    notDecimal: `"${text}" is not an amount of ${currency}; write it like ${formatMoney(2900n, currency)}`,
    tooFine: `${text} has more decimals than the ${decimals} of ${currency}`,
    tooLarge: `${text} ${currency} is more than the ${formatMoney(MAX_BIGINT, currency)} possible`,
  });
}

/** Formats minor units (at least 0) with all the currency's decimals; `parseMoney` reads it. */
export function formatMoney(amount: bigint, currency: string): string {
  const decimals = decimalsOf(currency);
  const digits = amount.toString().padStart(decimals + 1, "0");
  if (decimals === 0) return digits;
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** Formats minor units with the currency: "USD 9.90". */
export function moneyText(amount: bigint, currency: string): string {
  return `${currency} ${formatMoney(amount, currency)}`;
}

/** The number of minor units in one unit of the currency: USD 100, JPY 1, KWD 1,000. */
export function minorUnitsOf(currency: string): bigint {
  return 10n ** BigInt(decimalsOf(currency));
}

/**
 * The currencies whose decimals are not two. Stored amounts are in these units, so no entry may ever change.
 * They are those of Unicode's CLDR 48, which has no decimals for some currencies to which ISO 4217 gives two
 * (HUF, PKR). They are stated here since every Node and browser has a CLDR of its own.
 */
const NO_DECIMALS: ReadonlySet<string> = new Set(
  `AFN ALL BIF CLP COP DJF GNF HUF IDR IQD IRR ISK JPY KMF KPW KRW LAK LBP MGA MMK PKR PYG RWF SLL SOS
  SYP UGX UYI VND VUV XAF XOF XPF YER`.split(/\s+/),
);
const THREE_DECIMALS: ReadonlySet<string> = new Set("BHD JOD KWD LYD OMR TND".split(" "));
const FOUR_DECIMALS: ReadonlySet<string> = new Set(["CLF", "UYW"]);

/** The number of decimals of the currency: USD 2, JPY 0, KWD 3. */
export function decimalsOf(currency: string): number {
  if (NO_DECIMALS.has(currency)) return 0;
  if (THREE_DECIMALS.has(currency)) return 3;
  return FOUR_DECIMALS.has(currency) ? 4 : 2;
}

import {
  cutToHundredths,
  formatCredits,
  fromHundredths,
} from "../../../shared/core/text/credits-text.ts";
import { formatMoney } from "../../../shared/core/text/money.ts";
import { decimalText, moneyIn, percentText, wholeText } from "./locale.ts";

const MINUS = "\u2212";

/** Credits to the last micro-credit: "16,486.275", "−0.01806". */
export function exactCredits(credits: bigint): string {
  const size = decimalText(formatCredits(credits < 0n ? -credits : credits));
  return credits < 0n ? MINUS + size : size;
}

/** Credits with two decimals, so that a changing number keeps its place; see `cutToHundredths`. */
export function balanceText(credits: bigint): string {
  const hundredths = cutToHundredths(credits);
  const digits = (hundredths < 0n ? -hundredths : hundredths).toString().padStart(3, "0");
  const size = decimalText(`${digits.slice(0, -2)}.${digits.slice(-2)}`);
  return hundredths < 0n ? MINUS + size : size;
}

/** Credits with at most two decimals, for sums and scales: "312", "5,075.4"; less than 0.01 exactly. */
export function shortCredits(credits: bigint): string {
  const hundredths = cutToHundredths(credits);
  return exactCredits(hundredths === 0n ? credits : fromHundredths(hundredths));
}

/** Credits with the sign of a movement: "+10,000", "−12.48". */
export function signedCredits(credits: bigint): string {
  return credits > 0n ? `+${exactCredits(credits)}` : exactCredits(credits);
}

/** Money for customers: "USD 1,200.00", in German "1.200,00 USD". `amount` (at least 0) is in minor units. */
export function moneyText(amount: bigint, currency: string): string {
  return moneyIn(currency, formatMoney(amount, currency));
}

/** A whole number with thousands separators. */
export function countText(count: bigint): string {
  return count < 0n ? MINUS + wholeText(-count) : wholeText(count);
}

/** A share: "55%", "under 1%"; "0%" of nothing. */
export function shareText(part: bigint, whole: bigint): string {
  if (part <= 0n || whole <= 0n) return percentText(0n);
  const percent = (part * 200n + whole) / (whole * 2n);
  return percent === 0n ? `under ${percentText(1n)}` : percentText(percent);
}

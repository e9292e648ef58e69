import { MICRO_PER_CREDIT } from "../../../shared/core/line/credit-line.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import type { Cell } from "../../../shared/core/text/csv-text.ts";
import { formatMoney } from "../../../shared/core/text/money.ts";

/** Micro-credits in a hundredth of a credit. */
const MICRO_PER_CENT = MICRO_PER_CREDIT / 100n;
const MINUS = "\u2212";

/** Credits to the last micro-credit: "16,486.275", "−0.01806". */
export function exactCredits(credits: bigint): string {
  const [whole = "", fraction] = formatCredits(credits < 0n ? -credits : credits).split(".");
  const size = fraction === undefined ? grouped(whole) : `${grouped(whole)}.${fraction}`;
  return credits < 0n ? MINUS + size : size;
}

/**
 * Credits with two decimals, so that a changing number keeps its place. Rounded down, so that it never
 * shows too many credits or too little debt.
 */
export function roundedDown(credits: bigint): string {
  const below = credits % MICRO_PER_CENT < 0n ? 1n : 0n;
  return fromCents(credits / MICRO_PER_CENT - below);
}

/** Credits with at most two decimals, a half rounded up, for sums and scales: "312", "5,075.4". */
export function shortCredits(credits: bigint): string {
  const size = credits < 0n ? -credits : credits;
  const cents = (size + MICRO_PER_CENT / 2n) / MICRO_PER_CENT;
  if (cents === 0n && size > 0n) return exactCredits(credits);
  return fromCents(credits < 0n ? -cents : cents).replace(/\.00$|(?<=\.\d)0$/, "");
}

/** Credits with the sign of a movement: "+10,000", "−12.48". */
export function signedCredits(credits: bigint): string {
  return credits > 0n ? `+${exactCredits(credits)}` : exactCredits(credits);
}

/** Money for customers: "USD 1,200.00". `amount` is in the currency's minor unit, at least 0. */
export function moneyText(amount: bigint, currency: string): string {
  const [whole = "", fraction] = formatMoney(amount, currency).split(".");
  return `${currency} ${grouped(whole)}${fraction === undefined ? "" : `.${fraction}`}`;
}

/** A whole number with thousands separators. */
export function countText(count: bigint): string {
  return count < 0n ? MINUS + grouped((-count).toString()) : grouped(count.toString());
}

/** A share: "55 %", "under 1 %"; "0 %" of nothing. */
export function shareText(part: bigint, whole: bigint): string {
  if (part <= 0n || whole <= 0n) return "0 %";
  const percent = (part * 200n + whole) / (whole * 2n);
  return percent === 0n ? "under 1 %" : `${percent} %`;
}

function fromCents(cents: bigint): string {
  const size = cents < 0n ? -cents : cents;
  const text = `${grouped((size / 100n).toString())}.${(size % 100n).toString().padStart(2, "0")}`;
  return cents < 0n ? MINUS + text : text;
}

function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Credits as a plain decimal for spreadsheets. */
export function creditsCell(credits: bigint): Cell {
  return { number: formatCredits(credits) };
}

import { MAX_BIGINT } from "../line/credit-line.ts";

const DECIMAL = /^(\d+)(?:\.(\d+))?$/;
const MOST_DIGITS = 40;

/**
 * Parses a decimal number into an integer of its smallest unit, `decimals` places below 1. Throws a
 * RangeError with one of the messages.
 */
export function parseDecimal(
  text: string,
  decimals: number,
  messages: Readonly<Record<"negative" | "notDecimal" | "tooFine" | "tooLarge", string>>,
): bigint {
  const [, whole, fraction = ""] = DECIMAL.exec(text) ?? [];
  if (whole === undefined) {
    throw new RangeError(/^-\d/.test(text) ? messages.negative : messages.notDecimal);
  }
  // Time to convert digits grows faster than their number.
  if (whole.length > MOST_DIGITS) throw new RangeError(messages.tooLarge);
  if (fraction.length > decimals) throw new RangeError(messages.tooFine);
  const amount = BigInt(whole + fraction.padEnd(decimals, "0"));
  if (amount > MAX_BIGINT) throw new RangeError(messages.tooLarge);
  return amount;
}

import { MAX_BIGINT, MICRO_PER_CREDIT, type MicroCredits } from "../line/credit-line.ts";
import { UNLIMITED } from "../line/overdraft.ts";
import { parseDecimal } from "./decimal.ts";

/** A micro-credit is the sixth decimal of a credit. */
const DECIMALS = 6;

/**
 * Parses credits as a person writes them ("3", "0.25") into micro-credits, without floating point.
 * Throws a RangeError with the reason if `text` is not such an amount, is negative, has more than six
 * decimals or exceeds 64 bits.
 */
export function parseCredits(text: string): MicroCredits {
  if (text.trim() === "") throw new RangeError("the credits are empty");
  return parseDecimal(text, DECIMALS, {
    negative: `${text} credits are below zero`,
    notDecimal: `"${text}" is not an amount of credits; write it like 3 or 0.25`,
    tooFine: `${text} has more than ${DECIMALS} decimals`,
    tooLarge: `${text} credits are more than the ${formatCredits(MAX_BIGINT)} possible`,
  });
}

/** Micro-credits in a hundredth of a credit. */
const MICRO_PER_HUNDREDTH = MICRO_PER_CREDIT / 100n;

/**
 * Credits in whole hundredths, which is how balances, sums and scales are shown: what is less than a
 * hundredth is cut off, so that no more is shown than there is and the same amount looks the same
 * everywhere. Only exact figures are summed, and the sum is cut once. Single movements are shown exactly.
 */
export function cutToHundredths(credits: MicroCredits): bigint {
  return credits / MICRO_PER_HUNDREDTH;
}

/** Hundredths as micro-credits. */
export function fromHundredths(hundredths: bigint): MicroCredits {
  return hundredths * MICRO_PER_HUNDREDTH;
}

/** Formats micro-credits as credits, exactly and without trailing zeros; `parseCredits` reads it. */
export function formatCredits(credits: MicroCredits): string {
  const size = credits < 0n ? -credits : credits;
  const fraction = (size % MICRO_PER_CREDIT).toString().padStart(DECIMALS, "0").replace(/0+$/, "");
  const whole = `${credits < 0n ? "-" : ""}${size / MICRO_PER_CREDIT}`;
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

/** "none", "unlimited" or "5 credits"; null: "the default". */
export function overdraftText(overdraft: MicroCredits | null): string {
  if (overdraft === null) return "the default";
  if (overdraft === UNLIMITED) return "unlimited";
  return overdraft === 0n ? "none" : `${formatCredits(overdraft)} credits`;
}

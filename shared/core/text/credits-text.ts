import { MAX_BIGINT, MICRO_PER_CREDIT, type MicroCredits } from "../line/credit-line.ts";

/** A micro-credit is the sixth decimal of a credit. */
const DECIMALS = 6;
const DECIMAL = /^(\d+)(?:\.(\d+))?$/;

/**
 * Reads credits as a person writes them ("3", "0.25"), exactly: no floating point on the way. Throws
 * a RangeError that says why when `text` is no such amount, is negative, is finer than a
 * micro-credit or is more than the line holds.
 */
export function parseCredits(text: string): MicroCredits {
  if (text.trim() === "") throw new RangeError("the credits are empty");
  const [, whole, fraction = ""] = DECIMAL.exec(text) ?? [];
  if (whole === undefined) {
    throw new RangeError(
      /^-\d/.test(text)
        ? `${text} credits are below zero`
        : `"${text}" is not an amount of credits; write it like 3 or 0.25`,
    );
  }
  if (fraction.length > DECIMALS) {
    throw new RangeError(`${text} has more than ${DECIMALS} decimals`);
  }
  const credits = BigInt(whole + fraction.padEnd(DECIMALS, "0"));
  if (credits > MAX_BIGINT) {
    throw new RangeError(`${text} credits are more than the ${formatCredits(MAX_BIGINT)} possible`);
  }
  return credits;
}

/** Writes micro-credits as credits, exactly and without trailing zeros: what `parseCredits` reads. */
export function formatCredits(credits: MicroCredits): string {
  const size = credits < 0n ? -credits : credits;
  const fraction = (size % MICRO_PER_CREDIT).toString().padStart(DECIMALS, "0").replace(/0+$/, "");
  const whole = `${credits < 0n ? "-" : ""}${size / MICRO_PER_CREDIT}`;
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

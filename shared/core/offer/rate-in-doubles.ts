import { type AccountVersion, carries, type Rate, versionOf } from "./rate-card.ts";

/** A rate for arithmetic in doubles, which is exact up to 2^53. */
export interface RateInDoubles {
  /** Which its remainders are carried along under. */
  readonly version: AccountVersion;
  readonly credits: number;
  readonly per: number;
  readonly carries: boolean;
}

/** Null: doubles do not hold the rate. */
export function inDoubles(rate: Rate): RateInDoubles | null {
  const [credits, per] = [Number(rate.credits), Number(rate.per)];
  return Number.isSafeInteger(credits) && Number.isSafeInteger(per)
    ? { version: versionOf(rate), credits, per, carries: carries(rate) }
    : null;
}

/**
 * `price` in doubles. NaN: it needs more than 53 bits on the way. A product or sum of integers that comes out
 * at a safe integer is exact, and so are the remainder, the difference and the division here.
 */
export function priceInDoubles(
  { credits, per, carries }: RateInDoubles,
  quantity: number,
  remainder: number,
): number {
  const exact = quantity * credits + (carries ? remainder : Math.floor(per / 2));
  if (!Number.isSafeInteger(exact)) return Number.NaN;
  return per === 1 ? exact : (exact - (exact % per)) / per;
}

/** `remainderAfter` in doubles, of a price that was not NaN. */
export function remainderInDoubles(
  { credits, per }: RateInDoubles,
  quantity: number,
  remainder: number,
): number {
  return (quantity * credits + remainder) % per;
}

import {
  type AccountVersion,
  carries,
  countsMonth,
  packageOf,
  type Rate,
  versionOf,
} from "./rate-card.ts";

/** A rate for arithmetic in doubles, which is exact up to 2^53. */
export interface RateInDoubles {
  /** Which its remainders are carried along under. */
  readonly version: AccountVersion;
  readonly credits: number;
  readonly per: number;
  readonly carries: boolean;
  /** The units of a package; 0: single units are sold. */
  readonly package: number;
}

/** Null: doubles do not hold the rate, or it counts what was used before. */
export function inDoubles(rate: Rate): RateInDoubles | null {
  if (countsMonth(rate)) return null;
  const [credits, per] = [Number(rate.credits), Number(rate.per)];
  // A package is no larger than `per`.
  return Number.isSafeInteger(credits) && Number.isSafeInteger(per)
    ? {
        ...{ version: versionOf(rate), credits, per, carries: carries(rate) },
        package: Number(packageOf(rate) ?? 0n),
      }
    : null;
}

/**
 * `price` in doubles. NaN: it needs more than 53 bits on the way. A product or sum of integers that comes out
 * at a safe integer is exact, and so are the remainder, the difference and the division here.
 */
export function priceInDoubles(rate: RateInDoubles, quantity: number, remainder: number): number {
  const { credits, per, carries } = rate;
  const exact = unitsOf(rate, quantity) * credits + (carries ? remainder : Math.floor(per / 2));
  if (!Number.isSafeInteger(exact)) return Number.NaN;
  return per === 1 ? exact : (exact - (exact % per)) / per;
}

/** `remainderAfter` in doubles, of a price that was not NaN. */
export function remainderInDoubles(
  rate: RateInDoubles,
  quantity: number,
  remainder: number,
): number {
  return (unitsOf(rate, quantity) * rate.credits + remainder) % rate.per;
}

/** The units that an event pays for. */
function unitsOf({ package: size }: RateInDoubles, quantity: number): number {
  if (size === 0) return quantity;
  const begun = quantity % size;
  return begun === 0 ? quantity : quantity + (size - begun);
}

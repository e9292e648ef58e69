import { MAX_BIGINT, type MicroCredits, overlapOf, type Stretch } from "../line/credit-line.ts";

/** Where on the line a share of the month's credits is used. */
export interface MonthMark {
  readonly percent: number;
  readonly at: MicroCredits;
}

/**
 * The positions at which shares of the month's credits are used. `lots` are those that the month has brought,
 * oldest first: what was left of months before is drawn ahead of them, and top-ups may lie in between. None
 * where the month has brought nothing.
 */
export function monthMarks(
  lots: readonly Stretch[],
  percents: readonly number[],
): readonly MonthMark[] {
  const total = sizeOf(lots);
  if (total === 0n) return [];
  return percents.map((percent) => ({ percent, at: placeOf(lots, total * BigInt(percent)) }));
}

/** All credits of the month's lots. */
export function sizeOf(lots: readonly Stretch[]): MicroCredits {
  return lots.reduce((sum, { start, end }) => sum + end - start, 0n);
}

/** What an account that has drawn up to `position` has used of the month's lots. */
export function usedOf(lots: readonly Stretch[], position: MicroCredits): MicroCredits {
  return lots.reduce((sum, lot) => sum + overlapOf(lot, { start: 0n, end: position }), 0n);
}

/** Where the next mark is; the end of all lines: there is none. */
export function nextMark(marks: readonly MonthMark[], position: MicroCredits): MicroCredits {
  return marks.find(({ at }) => at > position)?.at ?? MAX_BIGINT;
}

/** Where `hundredths` / 100 micro-credits of the lots are drawn, rounded up. */
function placeOf(lots: readonly Stretch[], hundredths: bigint): MicroCredits {
  let left = (hundredths + 99n) / 100n;
  let place = 0n;
  for (const { start, end } of lots) {
    place = start + (left < end - start ? left : end - start);
    left -= end - start;
    if (left <= 0n) return place;
  }
  return place;
}

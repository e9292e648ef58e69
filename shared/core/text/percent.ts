import { parseDecimal } from "./decimal.ts";

/** Reads a percentage from 0 to 100 with at most two decimals ("12.5 %"); returns basis points. Throws a RangeError. */
export function parsePercent(text: string): number {
  const wrong = `must be a percentage from 0 to 100 like 12.5, not "${text}"`;
  const tooFine = `"${text}" has more than two decimals`;
  const parsed = parseDecimal(text.replace(/ ?%$/, ""), 2, {
    ...{ negative: wrong, notDecimal: wrong, tooLarge: wrong },
    tooFine,
  });
  if (parsed > 10_000n) throw new RangeError(wrong);
  return Number(parsed);
}

/** "12.5" of 1250 basis points. */
export function formatPercent(basisPoints: number): string {
  return String(basisPoints / 100);
}

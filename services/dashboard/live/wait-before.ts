const FIRST_MS = 500;
const LONGEST_MS = 15_000;

/**
 * The wait before the next attempt after `failures` in a row, in milliseconds. `random` (0 to 1)
 * spreads pages that lost the same server at the same moment.
 */
export function waitBefore(failures: number, random: number): number {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** failures);
  return longest / 2 + (random * longest) / 2;
}

/**
 * An account is a credit line: its lots end to end on a number line, oldest first.
 *
 * `granted` is the end of the last lot, `position` how far the account has drawn. Drawing moves only
 * `position`, so the oldest credits go first. README.md states the invariants, and
 * test/core/line/credit-line.test.ts checks them.
 */

/** The unit of all credits in code, tables and topics: 1 credit is 1,000,000 micro-credits. */
export type MicroCredits = bigint;

export const MICRO_PER_CREDIT = 1_000_000n;

/** The largest Postgres bigint and Avro long. */
export const MAX_BIGINT = 2n ** 63n - 1n;

export interface CreditLine {
  readonly granted: MicroCredits;
  readonly position: MicroCredits;
}

/** A stretch `[start, end)` of a credit line. */
export interface Stretch {
  readonly start: MicroCredits;
  readonly end: MicroCredits;
}

/** The smallest of amounts. */
export function least(...amounts: readonly bigint[]): bigint {
  return amounts.reduce((a, b) => (a < b ? a : b));
}

/** Credits left on the line; below zero it is debt. */
export function balanceOf(line: CreditLine): MicroCredits {
  return line.granted - line.position;
}

/** What is left of a lot. Over all lots of a line it sums to max(0, balance). */
export function remainingOf(lot: Stretch, position: MicroCredits): MicroCredits {
  const from = lot.start > position ? lot.start : position;
  return lot.end > from ? lot.end - from : 0n;
}

/** Draws `credits` (at least 0) down, oldest lot first. */
export function drawDown<L extends CreditLine>(line: L, credits: MicroCredits): L {
  return { ...line, position: line.position + credits };
}

/** Adds `credits` (above 0) as a lot at the end of the line. This also repays debt. */
export function grant<L extends CreditLine>(
  line: L,
  credits: MicroCredits,
): { line: L; lot: Stretch } {
  const end = line.granted + credits;
  return { line: { ...line, granted: end }, lot: { start: line.granted, end } };
}

/**
 * Ends a lot; `expired` is what was left of it. If the account has begun to draw on the lot, position
 * moves to its end. Otherwise the lot is withdrawn, and `moved` lists it and the lots behind it.
 */
export function expire<L extends CreditLine, T extends Stretch>(
  line: L,
  lots: readonly T[],
  lot: T,
): { line: L; expired: MicroCredits; moved: T[] } {
  const expired = remainingOf(lot, line.position);
  if (line.position >= lot.start) {
    return { line: drawDown(line, expired), expired, moved: [] };
  }
  return { ...withdraw(line, lots, lot, expired), expired };
}

/**
 * Cuts `credits` (at least 0, at most what remains) off the undrawn end of a lot. The lots behind it
 * move up; `moved` lists the lot and those. No other operation moves a lot.
 */
export function withdraw<L extends CreditLine, T extends Stretch>(
  line: L,
  lots: readonly T[],
  lot: T,
  credits: MicroCredits,
): { line: L; moved: T[] } {
  if (credits === 0n) return { line, moved: [] };
  const behind = lots
    .filter((other) => other.start >= lot.end)
    .map((other) => ({ ...other, start: other.start - credits, end: other.end - credits }));
  return {
    line: { ...line, granted: line.granted - credits },
    moved: [{ ...lot, end: lot.end - credits }, ...behind],
  };
}

/** The lots, the moved ones replaced. */
export function withMoved<L extends { readonly lotId: string }>(
  lots: readonly L[],
  moved: readonly L[],
): readonly L[] {
  if (moved.length === 0) return lots;
  return lots.map((lot) => moved.find(({ lotId }) => lotId === lot.lotId) ?? lot);
}

/** How much of `lot` a drawn stretch covers: what the lot paid for that usage. */
export function overlapOf(lot: Stretch, drawn: Stretch): MicroCredits {
  const start = lot.start > drawn.start ? lot.start : drawn.start;
  const end = lot.end < drawn.end ? lot.end : drawn.end;
  return end > start ? end - start : 0n;
}

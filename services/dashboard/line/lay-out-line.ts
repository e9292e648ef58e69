import type { Lot } from "../../../shared/core/line/account.ts";
import { usableOf } from "../../../shared/core/line/available.ts";

/**
 * The layout of a credit line, in pixels from its left end. Lots lie end to end, as wide as their
 * credits, but never too narrow to see and touch.
 */
export interface DrawnLine<L> {
  readonly stretches: readonly DrawnStretch<L>[];
  /** The account's position. */
  readonly marker: number;
  /** The debt, after the last lot. */
  readonly debt: { readonly left: number; readonly width: number; readonly credits: bigint } | null;
}

export interface DrawnStretch<L> {
  readonly lot: L;
  readonly left: number;
  readonly width: number;
  /** The used share, from 0 to 1. */
  readonly used: number;
  readonly remaining: bigint;
}

const GAP = 4;
const NARROWEST = 14;

/** Lays out `lots` (oldest first) over `width` pixels, for an account at `position`, at an instant. */
export function layOutLine<L extends Omit<Lot, "lotId">>(
  lots: readonly L[],
  { granted, position }: { granted: bigint; position: bigint },
  { width, now }: { width: number; now: number },
): DrawnLine<L> {
  const owed = position > granted ? position - granted : 0n;
  const sizes = lots.map(({ start, end }) => end - start);
  const widths = widthsOf(owed > 0n ? [...sizes, owed] : sizes, width);
  const stretches: DrawnStretch<L>[] = [];
  let left = 0;
  for (const [i, lot] of lots.entries()) {
    const own = widths[i] ?? 0;
    const remaining = usableOf(lot, position, now);
    const size = lot.end - lot.start;
    stretches.push({ lot, left, width: own, used: ratio(size - remaining, size), remaining });
    left += own + GAP;
  }
  const debt = owed > 0n ? { left, width: widths.at(-1) ?? 0, credits: owed } : null;
  return { stretches, marker: markerOf(stretches, debt), debt };
}

/**
 * Places labels of at least `narrowest` pixels below their stretches without overlap. Null if a label
 * would not be below its own stretch; then a list is easier to read.
 */
export function placeLabels(
  parts: readonly { left: number; width: number }[],
  width: number,
  narrowest: number,
): readonly number[] | null {
  const lefts: number[] = [];
  for (const [i, { left }] of parts.entries()) {
    const free = (lefts.at(-1) ?? -narrowest) + narrowest;
    const last = width - (parts.length - i) * narrowest;
    const placed = Math.min(Math.max(left, free), Math.max(last, free));
    lefts.push(placed);
  }
  const fits = parts.every(({ left, width: own }, i) => {
    const label = lefts[i] ?? 0;
    return label < left + own && label + narrowest > left && label + narrowest <= width + 1;
  });
  return fits ? lefts : null;
}

/** The account is at the first stretch with credits left; without one, at the end. */
function markerOf<L>(stretches: readonly DrawnStretch<L>[], debt: DrawnLine<L>["debt"]): number {
  if (debt !== null) return debt.left + debt.width;
  const here = stretches.find(({ remaining }) => remaining > 0n) ?? stretches.at(-1);
  return here === undefined ? 0 : here.left + here.used * here.width;
}

function widthsOf(sizes: readonly bigint[], width: number): number[] {
  const room = Math.max(0, width - GAP * (sizes.length - 1));
  const least = Math.min(NARROWEST, room / Math.max(1, sizes.length));
  const total = sizes.reduce((sum, size) => sum + size, 0n);
  return sizes.map((size) => least + (room - least * sizes.length) * ratio(size, total));
}

/** A part of a whole as a number for drawing, from 0 to 1. */
export function ratio(part: bigint, whole: bigint): number {
  return whole <= 0n ? 0 : Number((part * 1_000_000n) / whole) / 1_000_000;
}

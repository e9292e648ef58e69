import { MAX_BIGINT } from "../line/credit-line.ts";
import type { ValuePattern } from "./value-pattern.ts";
import { type Dimensions, valueAt } from "./value-tree.ts";

/** From where on a rate holds. The highest band that an event reaches prices all of it. */
export interface Band {
  /** The dimension that is counted; null: the event's own quantity. */
  readonly of: string | null;
  /** At least 1: a rate without a band begins at 0. */
  readonly from: bigint;
}

/** Which events a rate is for. */
export interface RateCondition {
  /** One for each dimension that the price depends on, in their order. */
  readonly patterns: readonly ValuePattern[];
  readonly band?: Band;
}

/** The rates for the same values of dimensions. */
export interface Bands {
  readonly patterns: readonly ValuePattern[];
  /** What is counted, as in `Band`. */
  readonly of: string | null;
  /** From the highest down. */
  readonly steps: readonly Step[];
}

interface Step {
  readonly from: bigint;
  /** The place of the rate that holds from there on. */
  readonly place: number;
}

/** Rates together by the values that they are for, each of which has bands of one kind: see `findTies`. */
export function bandsOf(rates: readonly RateCondition[]): readonly Bands[] {
  const known = new Map<string, Omit<Bands, "steps"> & { of: string | null; steps: Step[] }>();
  for (const [place, { patterns, band }] of rates.entries()) {
    const key = patternsKey(patterns);
    const bands = known.get(key) ?? { patterns, of: null, steps: [] };
    known.set(key, bands);
    bands.of ??= band?.of ?? null;
    bands.steps.push({ from: band?.from ?? 0n, place });
  }
  const all = [...known.values()];
  for (const { steps } of all) steps.sort((a, b) => (a.from < b.from ? 1 : -1));
  return all;
}

/** The same text for the same patterns. */
export function patternsKey(patterns: RateCondition["patterns"]): string {
  return JSON.stringify(patterns);
}

/** What bands count of an event. */
export interface Counted {
  readonly quantity: bigint;
  readonly dimensions: Dimensions;
}

/** The place of the highest band that an event reaches; null: it reaches none. Allocates no object. */
export function placeReached({ of, steps }: Bands, event: Counted): number | null {
  const number = of === null ? event.quantity : wholeNumberAt(event.dimensions, of);
  if (number === null) return null;
  for (const { from, place } of steps) if (from <= number) return place;
  return null;
}

/** A dimension as a number from 0 to 2^63-1; 0: it has no value, null: it is not written in up to 19 digits. */
export function wholeNumberAt(dimensions: Dimensions, name: string): bigint | null {
  const text = valueAt(dimensions, name);
  if (text === null) return 0n;
  const number = /^[0-9]{1,19}$/.test(text) ? BigInt(text) : null;
  return number !== null && number <= MAX_BIGINT ? number : null;
}

import { patternsKey, type RateCondition } from "./rate-bands.ts";
import { isWithin, narrowerOf, stemOf, type ValuePattern } from "./value-pattern.ts";

/** What makes the choice of a rate ambiguous. */
export type RateTie =
  /** The rate at `at` has the patterns of the one at `other`, before it, and begins at the same number. */
  | { readonly kind: "same"; readonly at: number; readonly other: number }
  /** It has the same patterns, but its band counts something else. */
  | { readonly kind: "mixed"; readonly at: number; readonly other: number }
  /** Both match some events, neither lies within the other, and no third has the patterns of `missing`. */
  | {
      readonly kind: "tie";
      readonly at: number;
      readonly other: number;
      readonly missing: Patterns;
    };

type Patterns = readonly ValuePattern[];

interface Placed {
  readonly at: number;
  readonly patterns: Patterns;
}

/** Ties of rates; at most one for each place. Bands make none: they divide what their patterns match. */
export function findTies(rates: readonly RateCondition[]): RateTie[] {
  const known = new Map<string, BandsSoFar>();
  const ties = new Map<number, RateTie>();
  const wide: Placed[] = [];
  for (const [at, { patterns, band }] of rates.entries()) {
    const alike = known.get(patternsKey(patterns));
    if (alike !== undefined) {
      const tie = addTo(alike, at, band);
      if (tie !== null) ties.set(at, tie);
      continue;
    }
    const first: BandsSoFar = { begins: new Map(), banded: null };
    addTo(first, at, band);
    known.set(patternsKey(patterns), first);
    // One that names a single value of each dimension lies within whatever else matches it.
    if (!patterns.every(isSingle)) wide.push({ at, patterns });
  }
  for (const { rate, around } of meetings(wide)) {
    const tie = firstTie(rate, around, known);
    if (tie !== null && !ties.has(tie.at)) ties.set(tie.at, tie);
  }
  return [...ties.values()].sort((a, b) => a.at - b.at);
}

/** The rates of the same patterns that were met. */
interface BandsSoFar {
  /** Their places, by where they begin. */
  readonly begins: Map<bigint, number>;
  /** The first one with a band, which says what all of them count. */
  banded: { readonly at: number; readonly of: string | null } | null;
}

/** Adds a rate to those of the same patterns; returns how it ties with one of them, null: it does not. */
function addTo(alike: BandsSoFar, at: number, band: RateCondition["band"]): RateTie | null {
  if (band !== undefined && alike.banded !== null && alike.banded.of !== band.of) {
    return { kind: "mixed", at, other: alike.banded.at };
  }
  const from = band?.from ?? 0n;
  const other = alike.begins.get(from);
  if (other !== undefined) return { kind: "same", at, other };
  alike.begins.set(from, at);
  if (band !== undefined) alike.banded ??= { at, of: band.of };
  return null;
}

function firstTie(
  rate: Placed,
  around: readonly Placed[],
  known: ReadonlyMap<string, unknown>,
): RateTie | null {
  for (const other of around) {
    const missing = tieOf(rate.patterns, other.patterns);
    if (missing === null || known.has(patternsKey(missing))) continue;
    const places = [rate.at, other.at];
    return { kind: "tie", at: Math.max(...places), other: Math.min(...places), missing };
  }
  return null;
}

/**
 * Each rate with those that may match the same values of one dimension: what those begin with, its own begin
 * with as well. Of two rates that meet, one is around the other. Thousands of rates for as many values have
 * few around them, which is why not every pair is looked at.
 */
function* meetings(
  rates: readonly Placed[],
): Generator<{ readonly rate: Placed; readonly around: readonly Placed[] }> {
  const place = mostNamed(rates);
  const beginOf = ({ patterns }: Placed) => {
    const pattern = patterns[place] ?? "";
    return stemOf(pattern) ?? pattern;
  };
  const sorted = rates.map((rate) => ({ rate, begin: beginOf(rate) }));
  sorted.sort((a, b) => (a.begin < b.begin ? -1 : Number(a.begin > b.begin)));
  const around: Placed[] = [];
  const begins: string[] = [];
  for (const { rate, begin } of sorted) {
    while (!begin.startsWith(begins.at(-1) ?? "")) {
      begins.pop();
      around.pop();
    }
    yield { rate, around };
    begins.push(begin);
    around.push(rate);
  }
}

/** The dimension that most rates name. */
function mostNamed(rates: readonly Placed[]): number {
  const counts = (rates[0]?.patterns ?? []).map(
    (_, place) => rates.filter(({ patterns }) => patterns[place] !== null).length,
  );
  return Math.max(0, counts.indexOf(Math.max(...counts)));
}

/** The patterns where two rates meet, neither of which lies within the other; null: they do not tie. */
function tieOf(a: Patterns, b: Patterns): Patterns | null {
  let isAWithin = true;
  let isBWithin = true;
  for (let place = 0; place < a.length; place += 1) {
    const [one, other] = [a[place] ?? null, b[place] ?? null];
    const [isIn, isAround] = [isWithin(one, other), isWithin(other, one)];
    if (!isIn && !isAround) return null;
    isAWithin &&= isIn;
    isBWithin &&= isAround;
  }
  if (isAWithin || isBWithin) return null;
  return a.map((one, place) => narrowerOf(one, b[place] ?? null));
}

function isSingle(pattern: ValuePattern): boolean {
  return pattern !== null && stemOf(pattern) === null;
}

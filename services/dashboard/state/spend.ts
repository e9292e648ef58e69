import type { BucketData } from "../../../shared/contract/usage.ts";
import { addOnKey, addOnOf } from "../text/meter-text.ts";

/** Spend in a range of time, by key. */
export interface Spend {
  readonly total: bigint;
  /** By key, largest first. */
  readonly rows: readonly SpendRow[];
  /** One per hour or day of the range, even without spend. */
  readonly bars: readonly SpendBar[];
}

export interface SpendRow {
  readonly key: string;
  readonly credits: bigint;
  readonly events: bigint;
  /** Null if it would add up different meters. */
  readonly quantity: bigint | null;
}

export interface SpendBar {
  readonly from: number;
  readonly to: number;
  readonly total: bigint;
  /** By key. */
  readonly parts: ReadonlyMap<string, bigint>;
}

/** A bucket of add-on charges among those of usage. */
export function addOnBucket(bucket: BucketData): BucketData {
  return { ...bucket, key: addOnKey(bucket.key) };
}

/** What of a bar is usage, without add-ons. */
export function usageOf({ parts }: SpendBar): bigint {
  return sum([...parts].flatMap(([key, credits]) => (addOnOf(key) === null ? [credits] : [])));
}

/** Sums buckets into bars that begin at `starts` (in order); the last ends at `end`. */
export function spendOf(
  buckets: readonly BucketData[],
  starts: readonly number[],
  end: number,
): Spend {
  const rows = new Map<string, SpendRow>();
  const parts = starts.map(() => new Map<string, bigint>());
  let total = 0n;
  for (const bucket of buckets) {
    const credits = BigInt(bucket.credits);
    total += credits;
    rows.set(bucket.key, withBucket(rows.get(bucket.key), bucket));
    const at = Date.parse(bucket.at);
    const bar = parts[starts.findLastIndex((start) => start <= at)];
    bar?.set(bucket.key, (bar.get(bucket.key) ?? 0n) + credits);
  }
  return {
    total,
    rows: [...rows.values()].sort(byCredits),
    bars: starts.map((from, i) => {
      const own = parts[i] ?? new Map<string, bigint>();
      return { from, to: starts[i + 1] ?? end, total: sum([...own.values()]), parts: own };
    }),
  };
}

/** A layer of a bar, from the bottom up: keys with their own colour, then the rest. */
export interface Layer {
  /** The index of the colour; null for the rest. */
  readonly colour: number | null;
  readonly credits: bigint;
}

/** The number of keys with their own colour. */
const COLOURS = 12;

/** The CSS colour of the key at this place in `rows`; null for the rest. */
export function colourOf(place: number | null): string {
  return place === null || place >= COLOURS ? "var(--rest)" : `var(--c${place})`;
}

/** The layers of a bar, in the order of `rows`. */
export function layersOf(bar: SpendBar, rows: readonly SpendRow[]): readonly Layer[] {
  const own = rows
    .slice(0, COLOURS)
    .map(({ key }, colour) => ({ colour, credits: bar.parts.get(key) ?? 0n }));
  const rest = bar.total - sum(own.map(({ credits }) => credits));
  return [...own, { colour: null, credits: rest }].filter(({ credits }) => credits > 0n);
}

/** Round numbers from 0 up to at least `most`, about four steps: the lines behind the bars. */
export function scaleOf(most: bigint): readonly bigint[] {
  const least = most > 0n ? (most + 3n) / 4n : 1n;
  let unit = 1n;
  while (unit * 10n < least) unit *= 10n;
  const step = [unit, unit * 2n, unit * 5n, unit * 10n].find((size) => size >= least) ?? least;
  const steps = (most + step - 1n) / step;
  return Array.from({ length: Number(steps > 0n ? steps : 1n) + 1 }, (_, i) => step * BigInt(i));
}

function withBucket(row: SpendRow | undefined, bucket: BucketData): SpendRow {
  const quantity = bucket.quantity === null ? null : BigInt(bucket.quantity);
  const before = row ?? { key: bucket.key, credits: 0n, events: 0n, quantity: 0n };
  return {
    key: bucket.key,
    credits: before.credits + BigInt(bucket.credits),
    events: before.events + BigInt(bucket.events),
    quantity: before.quantity === null || quantity === null ? null : before.quantity + quantity,
  };
}

function byCredits(a: SpendRow, b: SpendRow): number {
  if (a.credits !== b.credits) return a.credits > b.credits ? -1 : 1;
  return a.key < b.key ? -1 : 1;
}

function sum(credits: readonly bigint[]): bigint {
  return credits.reduce((total, each) => total + each, 0n);
}

import type { Instant } from "../line/account.ts";
import { isTable, type RateCard, type RateTable, versionInForce } from "./rate-card.ts";
import { stemOf, type ValuePattern } from "./value-pattern.ts";
import { type Dimensions, valueAt } from "./value-tree.ts";

const MOST_NEAREST = 3;
const LONGEST_VALUE = 60;

/** An event that has no rate. */
interface Unpriced {
  readonly meter: string;
  readonly occurredAt: Instant;
  readonly dimensions: Dimensions;
}

/** Why no rate of a card prices an event, for the person who decides about it. */
export function whyNoRate(card: RateCard, { meter, occurredAt, dimensions }: Unpriced): string {
  const version = versionInForce(card, meter, occurredAt);
  if (version === "unknown_meter") return `meter ${meter} has no price; set one`;
  if (typeof version === "string" || !isTable(version)) {
    return `meter ${meter} had no price yet when this occurred`;
  }
  const values = version.dimensions.map((name) => valueAt(dimensions, name));
  const nearest = nearestRates(version, values).map((patterns) =>
    patternsText(version.dimensions, patterns),
  );
  const named = patternsText(version.dimensions, values, "none");
  return `meter ${meter} has no rate for ${named}; the nearest are for ${nearest.join("; ")}`;
}

/** "model=gpt-5-*, kind=input"; what is open is left out, or named by `open`. All open: "anything". */
export function patternsText(
  dimensions: readonly string[],
  patterns: readonly ValuePattern[],
  open?: string,
): string {
  const named = dimensions.flatMap((name, place) => {
    const value = patterns[place] ?? open;
    return value === undefined ? [] : [`${name}=${shortened(value)}`];
  });
  return named.length === 0 ? "anything" : named.join(", ");
}

function shortened(value: string): string {
  return value.length <= LONGEST_VALUE ? value : `${value.slice(0, LONGEST_VALUE)}...`;
}

type Patterns = readonly ValuePattern[];

/** The rates that match most dimensions, and of those the ones whose other values begin alike the longest. */
function nearestRates({ rates }: RateTable, values: Patterns): Patterns[] {
  const nearest: { patterns: Patterns; score: number }[] = [];
  for (const { stated } of rates) {
    const score = likenessOf(stated.patterns, values);
    if (score <= (nearest[MOST_NEAREST - 1]?.score ?? -1)) continue;
    nearest.push({ patterns: stated.patterns, score });
    nearest.sort((a, b) => b.score - a.score).splice(MOST_NEAREST);
  }
  return nearest.map(({ patterns }) => patterns);
}

function likenessOf(patterns: Patterns, values: Patterns): number {
  let sum = 0;
  for (let place = 0; place < patterns.length; place += 1) {
    sum += likeness(patterns[place] ?? null, values[place] ?? null);
  }
  return sum;
}

/** 1 for a match, else the share of a pattern that a value begins with. */
function likeness(pattern: ValuePattern, value: string | null): number {
  if (pattern === null) return 1;
  if (value === null) return 0;
  const stem = stemOf(pattern) ?? pattern;
  let alike = 0;
  while (alike < stem.length && stem[alike] === value[alike]) alike += 1;
  const isMatch = alike === stem.length && (stem !== pattern || stem === value);
  return isMatch ? 1 : (alike / stem.length) * 0.9;
}

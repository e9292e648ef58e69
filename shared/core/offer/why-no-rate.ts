import { MAX_BIGINT } from "../line/credit-line.ts";
import { type Bands, type RateCondition, wholeNumberAt } from "./rate-bands.ts";
import {
  type AccountCard,
  isOwn,
  isTable,
  type Priced,
  type RateTable,
  versionInForce,
} from "./rate-card.ts";
import { stemOf, type ValuePattern } from "./value-pattern.ts";
import { choose, valueAt } from "./value-tree.ts";

const MOST_NEAREST = 3;
const LONGEST_VALUE = 60;

/** Why no rate of a card prices an event, for the person who decides about it. */
export function whyNoRate(card: AccountCard, event: Priced): string {
  const { meter, occurredAt } = event;
  const inForce = versionInForce(card, meter, occurredAt);
  // What an account's own rates do not match is priced by the list.
  const version = typeof inForce !== "string" && isOwn(inForce) ? inForce.list : inForce;
  if (version === "unknown_meter") return `meter ${meter} has no price; set one`;
  if (typeof version === "string" || !isTable(version)) {
    const first = card.get(meter)?.at(-1)?.validFrom;
    const since =
      first === undefined ? "" : `; its first is from ${new Date(first).toISOString()} on`;
    return `meter ${meter} had no price yet when this occurred${since}`;
  }
  const bands = choose(version.tree, version.dimensions, event.dimensions);
  return bands === null ? whyNoMatch(version, event) : whyNoBand(version, bands, event);
}

function whyNoMatch(version: RateTable, { meter, dimensions }: Priced): string {
  const values = version.dimensions.map((name) => valueAt(dimensions, name));
  const named = patternsText(version.dimensions, values, "none");
  return `meter ${meter} has no rate for ${named}; the nearest are for ${nearestText(version, values)}`;
}

/** A backlog of a model that is not sold asks for the same values again and again, of thousands of rates. */
const known = new WeakMap<RateTable, Map<string, string>>();
const MOST_KNOWN = 1_000;

function nearestText(version: RateTable, values: Patterns): string {
  const ofVersion = known.get(version) ?? new Map<string, string>();
  known.set(version, ofVersion);
  const key = JSON.stringify(values);
  const before = ofVersion.get(key);
  if (before !== undefined) return before;
  const nearest = nearestRates(version, values).map((patterns) =>
    patternsText(version.dimensions, patterns),
  );
  const text = nearest.join("; ");
  if (ofVersion.size === MOST_KNOWN) ofVersion.clear();
  ofVersion.set(key, text);
  return text;
}

/** The event reaches none of the bands, or what they count of it is no number. */
function whyNoBand({ meter, dimensions: names }: RateTable, bands: Bands, event: Priced): string {
  const { of, patterns, steps } = bands;
  const named = patternsText(names, patterns);
  const number = of === null ? event.quantity : wholeNumberAt(event.dimensions, of);
  if (of !== null && number === null) {
    const value = shortened(valueAt(event.dimensions, of) ?? "");
    return `meter ${meter} is priced for ${named} by ${of}, which must be a whole number from 0 to ${MAX_BIGINT} in digits, not "${value}"`;
  }
  const lowest = `${countedText(of)} below ${steps.at(-1)?.from}`;
  return `meter ${meter} has no rate for ${named} with ${lowest}; this is ${number}`;
}

/** "model=gpt-5-*, context_tokens from 200001"; without values and band: "anything". */
export function conditionText(
  dimensions: readonly string[],
  { patterns, band }: RateCondition,
): string {
  const values = patternsText(dimensions, patterns);
  if (band === undefined) return values;
  const from = `${countedText(band.of)} from ${band.from}`;
  return patterns.every((pattern) => pattern === null) ? from : `${values}, ${from}`;
}

/** What a band counts, in words. */
export function countedText(of: string | null): string {
  return of === null ? "quantity" : shortened(of);
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
function nearestRates({ bands }: RateTable, values: Patterns): Patterns[] {
  const nearest: { patterns: Patterns; score: number }[] = [];
  for (const { patterns } of bands) {
    const score = likenessOf(patterns, values);
    if (score <= (nearest[MOST_NEAREST - 1]?.score ?? -1)) continue;
    nearest.push({ patterns, score });
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

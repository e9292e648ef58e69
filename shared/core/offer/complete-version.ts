import { isSamePrice, type MeterTerms, rateKey } from "./catalogue-terms.ts";
import { isSameFeed } from "./feed.ts";
import { patternsKey } from "./rate-bands.ts";
import type { RateTable, StatedRate } from "./rate-card.ts";
import { rateTable, type TableTerms } from "./rate-table.ts";
import { stemOf, type ValuePattern } from "./value-pattern.ts";
import { choose } from "./value-tree.ts";

/**
 * The terms of a version with the rates that others add to it, if these price only events that it left without a
 * price. Whenever it gets them, what was metered keeps its price and its remainder. Null: the others add
 * nothing, or differ in something else, too.
 */
export function completed(standing: MeterTerms, asked: MeterTerms): MeterTerms | null {
  if (!("rates" in standing && "rates" in asked)) return null;
  if (!isSameFeed(standing.feed, asked.feed)) return null;
  const added = additionsTo(standing, asked);
  if (added === null || added.length === 0) return null;
  const table = rateTable({ meter: "", validFrom: 0 }, standing);
  // Remainders are counted in the version's units, which stay as they are.
  const isLeftOver = (rate: StatedRate) => table.per % rate.per === 0n && !takesFrom(table, rate);
  return added.every(isLeftOver) ? { ...standing, rates: [...standing.rates, ...added] } : null;
}

/** The rates that others have besides all of a table; null: they lack one of its, or depend on something else. */
function additionsTo(standing: TableTerms, asked: TableTerms): readonly StatedRate[] | null {
  const { dimensions } = standing;
  const places = dimensions.map((name) => asked.dimensions.indexOf(name));
  if (places.includes(-1) || dimensions.length !== asked.dimensions.length) return null;
  const known = new Map(standing.rates.map((rate) => [rateKey(dimensions, rate), rate]));
  const added: StatedRate[] = [];
  for (const rate of asked.rates) {
    const inOrder = { ...rate, patterns: places.map((place) => rate.patterns[place] ?? null) };
    const stands = known.get(rateKey(dimensions, inOrder));
    if (stands === undefined) added.push(inOrder);
    else if (!isSamePrice(stands, rate)) return null;
  }
  return added.length === asked.rates.length - standing.rates.length ? added : null;
}

/** True if a rate, added to a table, would price events that match one of its rates now. */
function takesFrom(table: RateTable, { patterns, band }: StatedRate): boolean {
  const values = table.dimensions.map((name, place) => [name, anyOf(patterns[place] ?? null)]);
  const found = choose(table.tree, table.dimensions, Object.fromEntries(values));
  if (found === null) return false;
  const lowest = found.steps.at(-1)?.from ?? 0n;
  return patternsKey(found.patterns) !== patternsKey(patterns) || (band?.from ?? 0n) >= lowest;
}

/** A value of a pattern that every pattern around it matches, and no narrower one: NUL is in none. */
function anyOf(pattern: ValuePattern): string {
  if (pattern === null) return "";
  const stem = stemOf(pattern);
  return stem === null ? pattern : `${stem}\0`;
}

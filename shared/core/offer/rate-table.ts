import { bandsOf } from "./rate-bands.ts";
import {
  carries,
  type MeterVersion,
  type RateTable,
  type StatedRate,
  type TableRate,
  type UnitPrice,
} from "./rate-card.ts";
import { treeOf } from "./value-tree.ts";

/** A price depends on no more dimensions of an event than these. */
export const MOST_RATE_DIMENSIONS = 4;

/** Prices by dimensions and bands: at least one rate, and among them no tie (`findTies`). */
export interface TableTerms {
  readonly dimensions: readonly string[];
  readonly rates: readonly StatedRate[];
}

type Named = Pick<MeterVersion, "meter" | "validFrom" | "setBy" | "feed">;

/**
 * The version of a meter whose price depends on the event. So that all of its rates have one remainder, each
 * is brought to units that are a multiple of every rate's: 1 for 2 and 1 for 3 are 3 and 2 for 6.
 */
export function rateTable(named: Named, { dimensions, rates: stated }: TableTerms): RateTable {
  const per = commonPer(stated);
  const rates: TableRate[] = [];
  const bands = bandsOf(stated);
  const tree = treeOf(bands.map((chosen) => ({ patterns: chosen.patterns, chosen })));
  const table = { ...named, dimensions, per, rates, bands, tree, carries: stated.some(carries) };
  const { meter, validFrom } = named;
  for (const rate of stated) {
    const credits = rate.credits * (per / rate.per);
    rates.push({ meter, validFrom, credits, per, of: table, stated: rate });
  }
  return table;
}

/** The least number of units that is a multiple of each price's. */
export function commonPer(prices: readonly Pick<UnitPrice, "per">[]): bigint {
  return prices.reduce((common, { per }) => (common / divisorOf(common, per)) * per, 1n);
}

/** The greatest number that divides both. */
export function divisorOf(a: bigint, b: bigint): bigint {
  return b === 0n ? a : divisorOf(b, a % b);
}

import {
  isTable,
  type MeterVersion,
  type UnitPrice,
} from "../../../shared/core/offer/rate-card.ts";
import { patternsText } from "../../../shared/core/offer/why-no-rate.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import type { Column } from "./print.ts";

/** "2.5 credits for 1000000 units" */
export function unitPriceText({ credits, per }: UnitPrice): string {
  return `${formatCredits(credits)} credits ${per === 1n ? "a unit" : `for ${per} units`}`;
}

/** A price of a version, and the values of dimensions that it is for; null: it depends on none. */
export interface ListedPrice extends UnitPrice {
  readonly values: string | null;
}

/** What a version's units cost, as it was stated. */
export function listedPrices(version: MeterVersion): readonly ListedPrice[] {
  if (!isTable(version)) return [{ ...version, values: null }];
  return version.rates.map(({ stated: { patterns, credits, per } }) => {
    return { values: patternsText(version.dimensions, patterns), credits, per };
  });
}

/** The column that says what listed prices are for; none where no price depends on dimensions. */
export function forColumn(versions: readonly MeterVersion[]): readonly Column<ListedPrice>[] {
  return versions.some(isTable) ? [["FOR", ({ values }) => values ?? ""]] : [];
}

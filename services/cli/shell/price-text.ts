import {
  isTable,
  type MeterVersion,
  type UnitPrice,
} from "../../../shared/core/offer/rate-card.ts";
import { conditionText } from "../../../shared/core/offer/why-no-rate.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import type { Column } from "./print.ts";

/** "2.5 credits for 1000000 units" */
export function unitPriceText({ credits, per }: UnitPrice): string {
  return `${formatCredits(credits)} credits ${per === 1n ? "a unit" : `for ${per} units`}`;
}

/** A price of a version, and which events it is for; null: all of them. */
export interface ListedPrice extends UnitPrice {
  readonly values: string | null;
  readonly setBy?: string | null;
}

/** What a version's units cost, as it was stated. */
export function listedPrices(version: MeterVersion): readonly ListedPrice[] {
  if (!isTable(version)) return [{ ...version, values: null }];
  return version.rates.map(({ stated }) => {
    const { credits, per, setBy = version.setBy ?? null } = stated;
    return { values: conditionText(version.dimensions, stated), credits, per, setBy };
  });
}

/** The column that says what listed prices are for; none where no price depends on the event. */
export function forColumn(versions: readonly MeterVersion[]): readonly Column<ListedPrice>[] {
  return versions.some(isTable) ? [["FOR", ({ values }) => values ?? ""]] : [];
}

import { unitPriceOf } from "../../../shared/core/offer/catalogue-terms.ts";
import {
  isTable,
  type MeterVersion,
  type UnitPrice,
} from "../../../shared/core/offer/rate-card.ts";
import type { RateOrigin } from "../../../shared/core/offer/rate-origin.ts";
import { conditionText } from "../../../shared/core/offer/why-no-rate.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import type { Column } from "./print.ts";

/** A price as it is stated; a discount may leave its credits for several packages. */
interface PriceText extends Omit<UnitPrice, "roundUp" | "tiers"> {
  readonly roundUp?: UnitPrice["roundUp"] | undefined;
  readonly package?: bigint | undefined;
  readonly tiers?: UnitPrice["tiers"] | undefined;
}

const ROUNDED = { each_event: "each event", each_month: "each month" } as const;

/**
 * "2.5 credits for 1000000 units", "2 credits for 60 units, each event rounded up to 60", "in a month 2 credits a unit
 * up to 1000, 1 credits a unit above"
 */
export function unitPriceText({ credits, per, roundUp, package: size, tiers }: PriceText): string {
  if (tiers !== undefined && tiers.length > 0) {
    const texts = tiers.map(({ upTo, ...price }) => {
      return `${unitPriceText(price)} ${upTo === null ? "above" : `up to ${upTo}`}`;
    });
    return `in a month ${texts.join(", ")}`;
  }
  const usual = `${formatCredits(credits)} credits ${per === 1n ? "a unit" : `for ${per} units`}`;
  return roundUp ? `${usual}, ${ROUNDED[roundUp]} rounded up to ${size ?? per}` : usual;
}

/** "USD 1.25 for 1000000 units" */
export function listPriceText({
  price,
  currency,
  per,
}: {
  readonly price: string;
  readonly currency: string;
  readonly per: bigint;
}): string {
  return `${currency} ${price} ${per === 1n ? "a unit" : `for ${per} units`}`;
}

/** A price of a version, and which events it is for; null: all of them. */
export interface ListedPrice extends UnitPrice {
  readonly values: string | null;
  readonly setBy?: string | null;
  readonly origin?: RateOrigin | undefined;
}

/** What a version's units cost, as it was stated. */
export function listedPrices(version: MeterVersion): readonly ListedPrice[] {
  if (!isTable(version)) {
    const { tiers } = version;
    if (tiers === undefined) return [{ ...version, values: null }];
    return tiers.map(({ upTo, credits, per }) => {
      const values = `${upTo === null ? "all above" : `up to ${upTo}`} in a month`;
      return { credits, per, values, setBy: version.setBy ?? null };
    });
  }
  return version.rates.map(({ stated }) => {
    const { origin, setBy = version.setBy ?? null } = stated;
    const values = conditionText(version.dimensions, stated);
    return { ...unitPriceOf(stated), values, origin, setBy };
  });
}

/** The column that says what listed prices are for; none where no price depends on the event. */
export function forColumn(versions: readonly MeterVersion[]): readonly Column<ListedPrice>[] {
  const differ = versions.some((version) => isTable(version) || version.tiers !== undefined);
  return differ ? [["FOR", ({ values }) => values ?? ""]] : [];
}

/** The column that says what is rounded up to whole packages; none where nothing is. */
export function roundUpColumn(versions: readonly MeterVersion[]): readonly Column<ListedPrice>[] {
  const isRounded = versions.flatMap(listedPrices).some(({ roundUp }) => roundUp !== undefined);
  return isRounded ? [["ROUND UP", ({ roundUp }) => roundUp ?? ""]] : [];
}

/** What listed prices were imported from; no columns where none was. */
export function originColumns(versions: readonly MeterVersion[]): readonly Column<ListedPrice>[] {
  const isImported = versions.some(
    (version) => isTable(version) && version.rates.some(({ stated }) => stated.origin),
  );
  if (!isImported) return [];
  return [
    ["LIST PRICE", ({ origin }) => (origin ? `${origin.source.currency} ${origin.listPrice}` : "")],
    ["FOR UNITS", ({ origin }) => origin?.listPer ?? "", "right"],
    ["MARKUP", ({ origin }) => origin?.markup ?? "", "right"],
    ["SOURCE", ({ origin }) => (origin ? sourceText(origin.source) : "")],
  ];
}

/** "prices.json, SHA-256 0c2f3a4b5d6e": enough digits to tell a seller's files apart. */
function sourceText({ file, sha256 }: RateOrigin["source"]): string {
  return `${file}, SHA-256 ${sha256.slice(0, 12)}`;
}

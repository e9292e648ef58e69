import type { Instant } from "../../../shared/core/line/account.ts";
import { type Catalogue, versionAt } from "../../../shared/core/offer/catalogue.ts";
import type { Rate } from "../../../shared/core/offer/rate-card.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { type Column, table } from "../shell/print.ts";
import { feedText, lifeText, pricesText } from "./terms-text.ts";

/** All versions of all that is on offer. */
export interface Listed {
  readonly catalogue: Catalogue;
  /** By meter, oldest first. */
  readonly rates: readonly Rate[];
}

export function listedText({ catalogue, rates }: Listed, now: Instant): string {
  const { plans, addOns, creditPrices } = catalogue;
  const meters = Map.groupBy(rates, ({ meter }) => meter);
  const parts = [
    section(now, plans, "PLAN", [CREDITS, { title: "LIFE" }, { title: "PRICES" }], (plan) => [
      formatCredits(plan.credits),
      lifeText(plan.life),
      pricesText(plan.prices),
    ]),
    section(now, addOns, "ADD-ON", [CREDITS], ({ credits }) => [formatCredits(credits)]),
    section(now, creditPrices, "CURRENCY", [CREDITS, { title: "LIFE" }], ({ credits, life }) => [
      formatCredits(credits),
      lifeText(life),
    ]),
    section(now, meters, "METER", [CREDITS, PER, { title: "FED BY" }], (rate) => [
      formatCredits(rate.credits),
      rate.per,
      rate.feed === undefined ? "" : feedText(rate.feed),
    ]),
  ].filter((part) => part !== null);
  return parts.length === 0 ? "The catalogue is empty." : parts.join("\n\n");
}

const CREDITS: Column = { title: "CREDITS", align: "right" };
const PER: Column = { title: "PER", align: "right" };

/** One kind of things; null when there are none. */
function section<T extends { readonly validFrom: Instant }>(
  now: Instant,
  things: ReadonlyMap<string, readonly T[]>,
  title: string,
  columns: readonly Column[],
  cells: (version: T) => readonly (string | bigint)[],
): string | null {
  if (things.size === 0) return null;
  const rows = [...things].flatMap(([id, versions]) => {
    const holds = versionAt(versions, now);
    return versions.map((version) => [
      id,
      formatInstant(version.validFrom),
      version === holds ? "holds" : version.validFrom > now ? "to come" : "past",
      ...cells(version),
    ]);
  });
  return table([{ title }, { title: "VALID FROM" }, { title: "STATE" }, ...columns], rows);
}

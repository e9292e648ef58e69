import type { AddOn, CreditPrice, LotLife, Plan } from "./catalogue.ts";
import { type Feed, isSameFeed } from "./feed.ts";
import { isTable, type MeterVersion, type StatedRate, type UnitPrice } from "./rate-card.ts";
import { rateTable, type TableTerms } from "./rate-table.ts";

/** The terms of a version, without its id and `validFrom`. */

/** One price, or prices by dimensions and bands. */
export type MeterTerms = (UnitPrice | TableTerms) & { readonly feed?: Feed };
export type PlanTerms = Pick<Plan, "credits" | "life" | "firstCredits" | "firstMonth" | "prices">;
export type AddOnTerms = Pick<AddOn, "credits">;
export type CreditPriceTerms = Pick<CreditPrice, "credits" | "life">;

/** True when two versions of a meter have the same terms. */
export function isSameMeter(a: MeterTerms, b: MeterTerms): boolean {
  return isSameFeed(a.feed, b.feed) && isSamePricing(a, b);
}

function isSamePricing(a: MeterTerms, b: MeterTerms): boolean {
  if ("rates" in a) return "rates" in b && isSameTable(a, b);
  return !("rates" in b) && isSamePrice(a, b);
}

/** True when units cost the same, alone and in tiers of a month. */
export function isSamePrice(a: UnitPrice, b: UnitPrice): boolean {
  if (a.credits !== b.credits || a.per !== b.per || a.roundUp !== b.roundUp) return false;
  const [tiers, others] = [a.tiers ?? [], b.tiers ?? []];
  return (
    tiers.length === others.length &&
    tiers.every(({ upTo, credits, per }, at) => {
      const other = others[at];
      return other?.upTo === upTo && other.credits === credits && other.per === per;
    })
  );
}

/** Neither the order of the rates nor that of the dimensions matters to a price. */
function isSameTable(a: TableTerms, b: TableTerms): boolean {
  const others = new Map(b.rates.map((rate) => [rateKey(b.dimensions, rate), rate]));
  return (
    a.rates.length === b.rates.length &&
    a.dimensions.length === b.dimensions.length &&
    a.dimensions.every((name) => b.dimensions.includes(name)) &&
    a.rates.every((rate) => {
      const other = others.get(rateKey(a.dimensions, rate));
      return other !== undefined && isSamePrice(rate, other);
    })
  );
}

/** The same text for rates that are for the same events, whatever the order of the dimensions. */
export function rateKey(dimensions: readonly string[], { patterns, band }: StatedRate): string {
  const values = dimensions.map((name, place) => [name, patterns[place]]).sort();
  return JSON.stringify([values, band === undefined ? null : [band.of, String(band.from)]]);
}

/** What units cost under something that says more. */
export function unitPriceOf({ credits, per, roundUp, tiers }: UnitPrice): UnitPrice {
  const rounded = roundUp === undefined ? {} : { roundUp };
  return { credits, per, ...rounded, ...(tiers === undefined ? {} : { tiers }) };
}

/** The version of a meter that has terms from an instant on. */
export function toMeterVersion(
  named: Pick<MeterVersion, "meter" | "validFrom" | "setBy">,
  { feed, ...pricing }: MeterTerms,
): MeterVersion {
  const version = { ...named, ...(feed === undefined ? {} : { feed }) };
  return "rates" in pricing ? rateTable(version, pricing) : { ...version, ...pricing };
}

/** The terms of a version, as they are stated. */
export function termsOf(version: MeterVersion): MeterTerms {
  const fed = version.feed === undefined ? {} : { feed: version.feed };
  if (!isTable(version)) return { ...unitPriceOf(version), ...fed };
  const { dimensions, rates } = version;
  return { dimensions, rates: rates.map(({ stated }) => stated), ...fed };
}

/** True when two versions of a plan have the same terms; the order of its prices does not matter. */
export function isSamePlan(a: PlanTerms, b: PlanTerms): boolean {
  return (
    a.credits === b.credits &&
    isSameLife(a.life, b.life) &&
    a.firstCredits === b.firstCredits &&
    a.firstMonth === b.firstMonth &&
    a.prices.length === b.prices.length &&
    a.prices.every(({ currency, monthly, yearly }) =>
      b.prices.some(
        (other) =>
          other.currency === currency && other.monthly === monthly && other.yearly === yearly,
      ),
    )
  );
}

/** True when two versions of an add-on have the same terms. */
export function isSameAddOn(a: AddOnTerms, b: AddOnTerms): boolean {
  return a.credits === b.credits;
}

/** True when two versions of the price of credits have the same terms. */
export function isSameCreditPrice(a: CreditPriceTerms, b: CreditPriceTerms): boolean {
  return a.credits === b.credits && isSameLife(a.life, b.life);
}

function isSameLife(a: LotLife, b: LotLife): boolean {
  if (a.kind === "months" && b.kind === "months") return a.months === b.months;
  return a.kind === b.kind;
}

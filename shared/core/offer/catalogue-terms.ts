import type { AddOn, CreditPrice, LotLife, Plan } from "./catalogue.ts";
import { isSameFeed } from "./feed.ts";
import type { Rate } from "./rate-card.ts";

/** The terms of a version, without its id and `validFrom`. */

export type MeterTerms = Pick<Rate, "credits" | "per" | "feed">;
export type PlanTerms = Pick<Plan, "credits" | "life" | "firstCredits" | "firstMonth" | "prices">;
export type AddOnTerms = Pick<AddOn, "credits">;
export type CreditPriceTerms = Pick<CreditPrice, "credits" | "life">;

/** True when two versions have the same terms. */
export function isSameRate(a: MeterTerms, b: MeterTerms): boolean {
  return a.credits === b.credits && a.per === b.per && isSameFeed(a.feed, b.feed);
}

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

export function isSameAddOn(a: AddOnTerms, b: AddOnTerms): boolean {
  return a.credits === b.credits;
}

export function isSameCreditPrice(a: CreditPriceTerms, b: CreditPriceTerms): boolean {
  return a.credits === b.credits && isSameLife(a.life, b.life);
}

function isSameLife(a: LotLife, b: LotLife): boolean {
  if (a.kind === "months" && b.kind === "months") return a.months === b.months;
  return a.kind === b.kind;
}

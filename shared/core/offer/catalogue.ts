import type { Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import type { BillingInterval } from "./billing-periods.ts";

/** How long a lot's credits last: as usual, another number of months (at least 1), or for ever. */
export type LotLife =
  | { readonly kind: "usual" }
  | { readonly kind: "months"; readonly months: number }
  | { readonly kind: "never" };

/** What a plan gives and costs from an instant on. */
export interface Plan {
  readonly planId: string;
  readonly validFrom: Instant;
  /** A month's; above 0. */
  readonly credits: MicroCredits;
  readonly life: LotLife;
  /** In the currency's minor unit, at least 0; at most one for each currency. */
  readonly prices: readonly {
    readonly currency: string;
    readonly monthly: bigint;
    readonly yearly: bigint;
  }[];
}

/** What a unit of an add-on costs from an instant on. */
export interface AddOn {
  readonly addOnId: string;
  readonly validFrom: Instant;
  /** A month's, for each unit; above 0. */
  readonly credits: MicroCredits;
}

/** How many credits money buys from an instant on. */
export interface CreditPrice {
  readonly currency: string;
  readonly validFrom: Instant;
  /** For one unit of the currency (1 USD, not 1 cent); above 0. */
  readonly credits: MicroCredits;
  readonly life: LotLife;
}

/** All that can be had, with its versions by id, oldest first. Versions are only ever added. */
export interface Catalogue {
  readonly plans: ReadonlyMap<string, readonly Plan[]>;
  readonly addOns: ReadonlyMap<string, readonly AddOn[]>;
  readonly creditPrices: ReadonlyMap<string, readonly CreditPrice[]>;
}

/** What is there before anything was ever offered. */
export const EMPTY_CATALOGUE: Catalogue = {
  plans: new Map(),
  addOns: new Map(),
  creditPrices: new Map(),
};

/** The version that holds at an instant, or null before the first one. `versions` are oldest first. */
export function versionAt<T extends { readonly validFrom: Instant }>(
  versions: readonly T[] | undefined,
  at: Instant,
): T | null {
  return versions?.findLast(({ validFrom }) => validFrom <= at) ?? null;
}

/** The plan as it stands at an instant, or null when there is none of this id yet. */
export function planAt(catalogue: Catalogue, planId: string, at: Instant): Plan | null {
  return versionAt(catalogue.plans.get(planId), at);
}

/**
 * What a month or a year of a plan costs at an instant, in minor units of the currency. Of a plan that
 * has lost its price in it the last one holds on; null when it never had any.
 */
export function priceAt(
  catalogue: Catalogue,
  planId: string,
  currency: string,
  interval: BillingInterval,
  at: Instant,
): bigint | null {
  const versions = catalogue.plans.get(planId) ?? [];
  for (const { validFrom, prices } of versions.toReversed()) {
    const price = validFrom <= at ? prices.find((one) => one.currency === currency) : undefined;
    if (price !== undefined) return interval === "year" ? price.yearly : price.monthly;
  }
  return null;
}

/** The add-on as it stands at an instant, or null when there is none of this id yet. */
export function addOnAt(catalogue: Catalogue, addOnId: string, at: Instant): AddOn | null {
  return versionAt(catalogue.addOns.get(addOnId), at);
}

/** What credits cost in a currency at an instant, or null when they are not sold for it yet. */
export function creditPriceAt(
  catalogue: Catalogue,
  currency: string,
  at: Instant,
): CreditPrice | null {
  return versionAt(catalogue.creditPrices.get(currency), at);
}

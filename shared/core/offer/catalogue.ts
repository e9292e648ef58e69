import type { Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import type { BillingInterval } from "./billing-periods.ts";

/** How long a lot lasts: the usual time, another number of months (at least 1), or for ever. */
export type LotLife =
  | { readonly kind: "usual" }
  | { readonly kind: "months"; readonly months: number }
  | { readonly kind: "never" };

/** When a fee's own credits come: those of the first month, and the difference to a larger plan. */
export type FirstCredits = "when_paid" | "immediately";

/** What the first part of a month costs and brings: a whole month's, or its days' share of it. */
export type FirstMonth = "whole" | "by_days";

/** What a plan gives and costs from an instant on. */
export interface Plan {
  readonly planId: string;
  readonly validFrom: Instant;
  /** Who set it, as far as that is known. */
  readonly setBy?: string | null;
  /** A month's; above 0. */
  readonly credits: MicroCredits;
  readonly life: LotLife;
  readonly firstCredits: FirstCredits;
  readonly firstMonth: FirstMonth;
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
  /** Who set it, as far as that is known. */
  readonly setBy?: string | null;
  /** A month's, for each unit; above 0. */
  readonly credits: MicroCredits;
}

/** How many credits money buys from an instant on. */
export interface CreditPrice {
  readonly currency: string;
  readonly validFrom: Instant;
  /** Who set it, as far as that is known. */
  readonly setBy?: string | null;
  /** For one unit of the currency (1 USD, not 1 cent); above 0. */
  readonly credits: MicroCredits;
  readonly life: LotLife;
}

/** Everything on offer: versions by id, oldest first. Versions are only ever added. */
export interface Catalogue {
  readonly plans: ReadonlyMap<string, readonly Plan[]>;
  readonly addOns: ReadonlyMap<string, readonly AddOn[]>;
  readonly creditPrices: ReadonlyMap<string, readonly CreditPrice[]>;
}

/** The catalogue of a new database. */
export const EMPTY_CATALOGUE: Catalogue = {
  plans: new Map(),
  addOns: new Map(),
  creditPrices: new Map(),
};

/** The version in force at an instant; null: before the first. `versions` are oldest first. */
export function versionAt<T extends { readonly validFrom: Instant }>(
  versions: readonly T[] | undefined,
  at: Instant,
): T | null {
  return versions?.findLast(({ validFrom }) => validFrom <= at) ?? null;
}

/** The plan at an instant; null: it does not exist yet. */
export function planAt(catalogue: Catalogue, planId: string, at: Instant): Plan | null {
  return versionAt(catalogue.plans.get(planId), at);
}

/**
 * The price of a month or a year of a plan at an instant, in the currency's minor unit. If a version
 * drops the currency, the last price stays in force; null: there never was one.
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
    const price = validFrom <= at ? prices.find((price) => price.currency === currency) : undefined;
    if (price !== undefined) return interval === "year" ? price.yearly : price.monthly;
  }
  return null;
}

/** The add-on at an instant; null: it does not exist yet. */
export function addOnAt(catalogue: Catalogue, addOnId: string, at: Instant): AddOn | null {
  return versionAt(catalogue.addOns.get(addOnId), at);
}

/** The price of credits in a currency at an instant; null: they are not sold in it yet. */
export function creditPriceAt(
  catalogue: Catalogue,
  currency: string,
  at: Instant,
): CreditPrice | null {
  return versionAt(catalogue.creditPrices.get(currency), at);
}

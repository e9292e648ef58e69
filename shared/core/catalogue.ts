import type { Instant } from "./account.ts";
import type { MicroCredits } from "./credit-line.ts";

/** How long a lot lives: as lots usually do (see months.ts), so many calendar months, or for ever. */
export type LotLife =
  | { readonly kind: "usual" }
  | { readonly kind: "months"; readonly months: number }
  | { readonly kind: "never" };

/** What a plan gives and costs from an instant on. */
export interface Plan {
  readonly planId: string;
  readonly validFrom: Instant;
  /** A month; more than none. */
  readonly credits: MicroCredits;
  readonly life: LotLife;
  /** In the currency's minor unit, at least 0. */
  readonly prices: readonly {
    readonly currency: string;
    readonly monthly: bigint;
    readonly yearly: bigint;
  }[];
}

/** What an add-on costs from an instant on. */
export interface AddOn {
  readonly addOnId: string;
  readonly validFrom: Instant;
  /** A month, for each unit; more than none. */
  readonly credits: MicroCredits;
}

/** How many credits money buys from an instant on. */
export interface CreditPrice {
  readonly currency: string;
  readonly validFrom: Instant;
  /** For one unit of the currency (1 USD, not 1 cent); more than none. */
  readonly credits: MicroCredits;
  readonly life: LotLife;
}

/** All that is on offer, over time: versions by id or currency, oldest first. */
export interface Catalogue {
  readonly plans: ReadonlyMap<string, readonly Plan[]>;
  readonly addOns: ReadonlyMap<string, readonly AddOn[]>;
  readonly creditPrices: ReadonlyMap<string, readonly CreditPrice[]>;
}

/** The version that holds at an instant: the newest valid by then. `versions` are oldest first. */
export function versionAt<T extends { readonly validFrom: Instant }>(
  versions: readonly T[] | undefined,
  at: Instant,
): T | null {
  return versions?.findLast(({ validFrom }) => validFrom <= at) ?? null;
}

/** A plan as it stands at an instant; null when there is no such plan then. */
export function planAt(catalogue: Catalogue, planId: string, at: Instant): Plan | null {
  return versionAt(catalogue.plans.get(planId), at);
}

/** An add-on as it stands at an instant; null when there is no such add-on then. */
export function addOnAt(catalogue: Catalogue, addOnId: string, at: Instant): AddOn | null {
  return versionAt(catalogue.addOns.get(addOnId), at);
}

import type { AccountId, Instant } from "../line/account.ts";
import type { HeldTerms, UnitPrice } from "./rate-card.ts";
import type { TableTerms } from "./rate-table.ts";

/** A discount of 100 %. */
export const WHOLE_DISCOUNT = 10_000;

/** What an account pays instead of the list: in basis points less (0: the list), or rates of its own. */
export type OwnPricing =
  | { readonly kind: "discount"; readonly basisPoints: number }
  | { readonly kind: "rates"; readonly terms: UnitPrice | TableTerms };

/** An account's own terms from an instant on, until others for the same. They are only added, never changed. */
export interface OwnTerms extends Omit<HeldTerms, "discount"> {
  readonly accountId: AccountId;
  /** For all meters: a discount. */
  readonly pricing: OwnPricing;
}

/** The terms that hold for a meter at an instant: the newest for it, else the newest for all meters. */
export function ownTermsAt(
  terms: readonly OwnTerms[],
  meter: string,
  at: Instant,
): OwnTerms | null {
  return newestAt(terms, meter, at) ?? newestAt(terms, null, at);
}

function newestAt(terms: readonly OwnTerms[], meter: string | null, at: Instant): OwnTerms | null {
  let newest: OwnTerms | null = null;
  for (const one of terms) {
    if (one.meter !== meter || one.validFrom > at) continue;
    if (newest === null || one.validFrom > newest.validFrom) newest = one;
  }
  return newest;
}

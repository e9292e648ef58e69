import type { Instant } from "../line/account.ts";
import type { AddOn, Catalogue, CreditPrice, Plan } from "./catalogue.ts";
import { toMeterVersion } from "./catalogue-terms.ts";
import { type RateCard, toRateCard } from "./rate-card.ts";
import type { RequestedCatalogue, RequestedVersions } from "./requested-catalogue.ts";

/** The catalogue of a file alone, with its rate card. */
export interface StatedCatalogue {
  readonly card: RateCard;
  readonly catalogue: Catalogue;
}

/**
 * The catalogue that a file states, as if nothing else had ever been on offer. Terms without `from` are
 * in force at any instant before the next version.
 */
export function statedCatalogue(requested: RequestedCatalogue): StatedCatalogue {
  const meters = versionsOf(requested.meters, (meter, { validFrom, ...terms }) =>
    toMeterVersion({ meter, validFrom }, terms),
  );
  return {
    card: toRateCard([...meters.values()].flat()),
    catalogue: {
      plans: versionsOf(requested.plans, (planId, terms): Plan => ({ planId, ...terms })),
      addOns: versionsOf(requested.addOns, (addOnId, terms): AddOn => ({ addOnId, ...terms })),
      creditPrices: versionsOf(
        requested.creditPrices,
        (currency, terms): CreditPrice => ({ currency, ...terms }),
      ),
    },
  };
}

function versionsOf<T, V>(
  requested: RequestedVersions<T>,
  toVersion: (id: string, terms: T & { readonly validFrom: Instant }) => V,
): Map<string, readonly V[]> {
  return new Map(
    [...requested].map(([id, versions]) => [
      id,
      versions.map(({ from, terms }) =>
        toVersion(id, { ...terms, validFrom: from ?? Number.NEGATIVE_INFINITY }),
      ),
    ]),
  );
}

import type { Instant } from "../line/account.ts";
import type { AddOn, Catalogue, CreditPrice, Plan } from "./catalogue.ts";
import { type Rate, type RateCard, toRateCard } from "./rate-card.ts";
import type { RequestedCatalogue, RequestedVersions } from "./requested-catalogue.ts";

/** A catalogue on its own, with the price of each meter. */
export interface StatedCatalogue {
  readonly card: RateCard;
  readonly catalogue: Catalogue;
}

/**
 * What a file states, taken alone: as though nothing else had ever been on offer. What it states
 * plainly holds at any instant until its next version.
 */
export function statedCatalogue(asked: RequestedCatalogue): StatedCatalogue {
  const rates = versionsOf(asked.meters, (meter, terms): Rate => ({ meter, ...terms }));
  return {
    card: toRateCard([...rates.values()].flat()),
    catalogue: {
      plans: versionsOf(asked.plans, (planId, terms): Plan => ({ planId, ...terms })),
      addOns: versionsOf(asked.addOns, (addOnId, terms): AddOn => ({ addOnId, ...terms })),
      creditPrices: versionsOf(
        asked.creditPrices,
        (currency, terms): CreditPrice => ({ currency, ...terms }),
      ),
    },
  };
}

function versionsOf<T, V>(
  asked: RequestedVersions<T>,
  toVersion: (id: string, terms: T & { readonly validFrom: Instant }) => V,
): Map<string, readonly V[]> {
  return new Map(
    [...asked].map(([id, versions]) => [
      id,
      versions.map(({ from, terms }) =>
        toVersion(id, { ...terms, validFrom: from ?? Number.NEGATIVE_INFINITY }),
      ),
    ]),
  );
}

import { z } from "zod";
import type { Catalogue, LotLife } from "../core/offer/catalogue.ts";
import type { Rate } from "../core/offer/rate-card.ts";
import { noun } from "./noun.ts";
import { count, credits, instant, money } from "./wire.ts";

const life = noun({
  kind: z.enum(["usual", "months", "never"]),
  months: z.number().int().nullable(),
}).meta({ description: "How long lots live; usual: two months." });

/** All versions of all that is on offer. */
export const catalogue = noun({
  meters: z.array(noun({ meter: z.string(), credits, per: count, valid_from: instant })),
  plans: z.array(
    noun({
      plan_id: z.string(),
      credits,
      valid_from: instant,
      life,
      prices: z.array(noun({ currency: z.string(), monthly: money, yearly: money })),
    }),
  ),
  add_ons: z.array(noun({ add_on_id: z.string(), credits, valid_from: instant })),
  credit_prices: z.array(noun({ currency: z.string(), credits, valid_from: instant, life })),
});

export function toCatalogue({ plans, addOns, creditPrices }: Catalogue, rates: readonly Rate[]) {
  return {
    meters: rates,
    plans: [...plans.values()].flat().map(withLife),
    addOns: [...addOns.values()].flat(),
    creditPrices: [...creditPrices.values()].flat().map(withLife),
  };
}

function withLife<Offer extends { readonly life: LotLife }>(offer: Offer) {
  const { life: lives } = offer;
  return { ...offer, life: { months: null, ...lives } };
}

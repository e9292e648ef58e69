import { z } from "zod";
import type { LotLife } from "../core/offer/catalogue.ts";
import { type MeterTerms, termsOf } from "../core/offer/catalogue-terms.ts";
import { pathText } from "../core/offer/feed.ts";
import type { Offer } from "../core/offer/offer.ts";
import type { MeterVersion, Rate, StatedRate } from "../core/offer/rate-card.ts";
import { displayNameFields } from "./display-name.ts";
import { noun } from "./noun.ts";
import { count, credits, instant, money } from "./wire.ts";

const life = noun({
  kind: z.enum(["usual", "months", "never"]),
  months: z.number().int().nullable(),
}).meta({ title: "Lot life", description: "How long lots live; usual: two months." });

const feed = noun({
  event_type: z.string(),
  value: z.string().nullable().meta({ description: "null: each event counts 1." }),
  dimensions: z.record(z.string(), z.string()),
}).meta({
  title: "Meter feed",
  description: "Which events feed the meter; null: those named like it.",
});

const price = noun({ currency: z.string(), monthly: money, yearly: money }).meta({
  title: "Plan price",
});

/** The price of units, and which events it is for. */
export const unitRateFields = {
  when: z.record(z.string(), z.string()).meta({
    description:
      "By the name of a dimension its value, or what values begin with and a `*` (`gpt-5-*`); of others any.",
  }),
  from_quantity: count.nullable().meta({
    description:
      "The quantity of an event from which it holds. Of the bands for the same values, the highest that an event reaches prices all of it. null: from any.",
  }),
  from: z.record(z.string(), count).meta({
    description: "By the name of a dimension the number from which it holds; mostly none.",
  }),
  credits,
  per: count,
};

const setBy = z
  .string()
  .nullable()
  .optional()
  .meta({ description: "Who set it, if that is known." });

const unitRate = noun({
  ...unitRateFields,
  set_by: setBy.meta({ description: "Who added it to its version afterwards." }),
}).meta({ title: "Rate by dimensions" });

/** The terms of each kind of version, without its id and `valid_from`. */
export const termsFields = {
  meter: {
    credits: credits.nullable().meta({ description: "null: `rates` has the prices." }),
    per: count.nullable(),
    dimensions: z
      .array(z.string())
      .meta({ description: "The dimensions of events that the price depends on; mostly none." }),
    rates: z
      .array(unitRate)
      .meta({ description: "The prices by dimensions and bands; otherwise none." }),
    feed: feed.nullable(),
  },
  plan: {
    credits,
    life,
    first_credits: z
      .enum(["when_paid", "immediately"])
      .meta({ description: "When the credits of the first month, or of a raise, come." }),
    first_month: z.enum(["whole", "by_days"]).meta({
      description:
        "What the first part of a month costs and brings: the whole, or its days' share.",
    }),
    prices: z.array(price),
  },
  addOn: { credits },
  creditPrice: { credits, life },
};

/** The price of a meter from an instant on. */
export const rateFields = { meter: z.string(), valid_from: instant, ...termsFields.meter };

export const rate = noun({ ...rateFields, set_by: setBy }).meta({ title: "Rate" });

/** All versions of everything on offer. */
export const catalogue = noun({
  meters: z.array(rate),
  plans: z.array(
    noun({ plan_id: z.string(), valid_from: instant, ...termsFields.plan, set_by: setBy }).meta({
      title: "Plan version",
    }),
  ),
  add_ons: z.array(
    noun({ add_on_id: z.string(), valid_from: instant, ...termsFields.addOn, set_by: setBy }).meta({
      title: "Add-on version",
    }),
  ),
  credit_prices: z.array(
    noun({
      currency: z.string(),
      valid_from: instant,
      ...termsFields.creditPrice,
      set_by: setBy,
    }).meta({ title: "Credit price version" }),
  ),
  names: z
    .array(noun({ ...displayNameFields, set_by: setBy }).meta({ title: "Display name set" }))
    .meta({ description: "What has a name or a unit. Names have no versions." }),
}).meta({ title: "Catalogue" });

export function toCatalogue({ catalogue: { plans, addOns, creditPrices }, rates, names }: Offer) {
  return {
    names,
    meters: rates.map(toRate),
    plans: [...plans.values()].flat().map(withLife),
    addOns: [...addOns.values()].flat(),
    creditPrices: [...creditPrices.values()].flat().map(withLife),
  };
}

/** A version of a meter. */
export function toRate(version: MeterVersion) {
  const { meter, validFrom, setBy } = version;
  return { meter, validFrom, setBy, ...toMeterTerms(termsOf(version)) };
}

/** What a rate is for, and costs. */
export function rateAsStated({ credits, per, of, stated }: Rate) {
  return of === undefined || stated === undefined
    ? { when: {}, ...toBand(undefined), credits, per }
    : toUnitRate(of.dimensions, stated);
}

function toUnitRate(dimensions: readonly string[], rate: StatedRate) {
  const { patterns, band, credits, per, setBy: addedBy } = rate;
  const when = dimensions.flatMap((name, place) => {
    const pattern = patterns[place] ?? null;
    return pattern === null ? [] : [[name, pattern] as const];
  });
  return { when: Object.fromEntries(when), ...toBand(band), credits, per, setBy: addedBy };
}

function toBand(band: StatedRate["band"]) {
  if (band === undefined) return { fromQuantity: null, from: {} };
  const { of, from } = band;
  return of === null
    ? { fromQuantity: from, from: {} }
    : { fromQuantity: null, from: { [of]: from } };
}

export function toMeterTerms(terms: MeterTerms) {
  const { feed: fed } = terms;
  const pricing =
    "rates" in terms
      ? {
          ...{ credits: null, per: null, dimensions: terms.dimensions },
          rates: terms.rates.map((rate) => toUnitRate(terms.dimensions, rate)),
        }
      : { credits: terms.credits, per: terms.per, dimensions: [], rates: [] };
  return {
    ...pricing,
    feed:
      fed === undefined
        ? null
        : {
            ...fed,
            value: fed.value && pathText(fed.value),
            dimensions: Object.fromEntries(
              [...fed.dimensions].map(([name, path]) => [name, pathText(path)]),
            ),
          },
  };
}

export function withLife<Offer extends { readonly life: LotLife }>(offer: Offer) {
  return { ...offer, life: { months: null, ...offer.life } };
}

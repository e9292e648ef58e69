import { z } from "zod";
import type { LotLife } from "../core/offer/catalogue.ts";
import { type MeterTerms, termsOf } from "../core/offer/catalogue-terms.ts";
import { pathText } from "../core/offer/feed.ts";
import type { Offer } from "../core/offer/offer.ts";
import { ownPrice } from "../core/offer/own-card.ts";
import {
  isOwn,
  isOwnRate,
  type MeterVersion,
  type Rate,
  type StatedRate,
  type UnitPrice,
} from "../core/offer/rate-card.ts";
import type { RateOrigin, RateSource } from "../core/offer/rate-origin.ts";
import { displayNameFields } from "./display-name.ts";
import { noun } from "./noun.ts";
import { valuesByName } from "./values-by-name.ts";
import { count, credits, instant, money } from "./wire.ts";

const life = noun({
  kind: z.enum(["usual", "months", "never"]),
  months: z.number().int().nullable(),
}).meta({ title: "Lot life", description: "How long lots live; usual: two months." });

const feed = noun({
  event_type: z.string(),
  value: z.string().nullable().meta({ description: "null: each event counts 1." }),
  dimensions: valuesByName(z.string()),
}).meta({
  title: "Meter feed",
  description: "Which events feed the meter; null: those named like it.",
});

const price = noun({ currency: z.string(), monthly: money, yearly: money }).meta({
  title: "Plan price",
});

/** What an imported rate was made from. */
const listPrice = noun({
  price: z.string().meta({ description: "A decimal number of the currency.", example: "1.25" }),
  currency: z.string(),
  per: count,
  markup: z.string().meta({ description: "The factor on the price.", example: "1.3" }),
  imported_at: instant.nullable(),
}).meta({ title: "List price" });

/** A price table that was imported. */
export const rateSource = noun({
  imported_at: instant.nullable().meta({
    description: "Later versions may keep rates of an import. null: not imported yet.",
  }),
  file: z.string(),
  format: z.string(),
  sha256: z.string().meta({ description: "Of the file." }),
  currency: z.string(),
  per_credit: z.string().meta({ description: "What a credit is worth.", example: "0.01" }),
  markups: z.array(z.string()).meta({ description: "As they were stated." }),
}).meta({ title: "Rate source", description: "The price table that a rate was imported from." });

const roundUp = z.enum(["each_event", "each_month"]).optional().meta({
  description:
    "each_event: an event pays for each package of `per` units that it begins; each_month: all usage of a month does. Missing: single units are sold.",
});

const tiers = z
  .array(
    noun({
      up_to: count.nullable().meta({ description: "The last unit; null: of the last tier." }),
      credits,
      per: count,
    }).meta({ title: "Tier" }),
  )
  .optional()
  .meta({
    description:
      "Prices by how much of the meter the account used in the month (UTC), each for what lies in it. Missing: there are none.",
  });

/** The price of units, and which events it is for. */
export const unitRateFields = {
  when: valuesByName(z.string()).meta({
    description:
      "By the name of a dimension its value, or what values begin with and a `*` (`gpt-5-*`); of others any.",
  }),
  from_quantity: count.nullable().meta({
    description:
      "The quantity of an event from which it holds. Of the bands for the same values, the highest that an event reaches prices all of it. null: from any.",
  }),
  from: valuesByName(count).meta({
    description: "By the name of a dimension the number from which it holds; mostly none.",
  }),
  credits: credits.meta({ description: "With `tiers`, those of the first." }),
  per: count,
  round_up: roundUp,
  tiers,
  package: count.optional().meta({
    description:
      "The units of a package, of which an event pays for each that it begins: `per`, unless a discount leaves a part of a micro-credit of a package's price. Missing: single units are sold.",
  }),
  list_price: listPrice
    .optional()
    .meta({ description: "What an imported rate was made from; otherwise missing." }),
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
    credits: credits.nullable().meta({ description: "null: `rates` or `tiers` has the prices." }),
    per: count.nullable(),
    round_up: roundUp,
    tiers,
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

export const rate = noun({
  ...rateFields,
  set_by: setBy,
  sources: z.array(rateSource).optional().meta({
    description: "The price tables that rates of the version were imported from.",
  }),
}).meta({ title: "Rate" });

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
  const terms = termsOf(version);
  const sources = "rates" in terms ? sourcesOf(terms.rates) : [];
  const imported = sources.length === 0 ? {} : { sources };
  return { meter, validFrom, setBy, ...toMeterTerms(terms), ...imported };
}

function sourcesOf(rates: readonly StatedRate[]): readonly RateSource[] {
  const sources = rates.flatMap(({ origin }) => origin?.source ?? []);
  return [...new Map(sources.map((source) => [source.importedAt, source])).values()];
}

/** What a rate is for, and costs. */
export function rateAsStated(rate: Rate): ReturnType<typeof toUnitRate> {
  if (isOwnRate(rate)) {
    const from = rateAsStated(rate.from);
    const tiersOf = from.tiers?.map((tier) => ({ ...tier, ...ownPrice(rate, tier) }));
    return { ...from, ...ownPrice(rate, from), tiers: tiersOf };
  }
  const { of, stated } = rate;
  return of === undefined || isOwn(of) || stated === undefined
    ? {
        when: {},
        ...toBand(undefined),
        ...toUnitPrice(rate),
        setBy: undefined,
        listPrice: undefined,
      }
    : toUnitRate(of.dimensions, stated);
}

function toUnitRate(dimensions: readonly string[], rate: StatedRate) {
  const { patterns, band, setBy: addedBy, origin } = rate;
  const when = dimensions.flatMap((name, place) => {
    const pattern = patterns[place] ?? null;
    return pattern === null ? [] : [[name, pattern] as const];
  });
  return {
    ...{ when: Object.fromEntries(when), ...toBand(band), ...toUnitPrice(rate) },
    setBy: addedBy,
    listPrice: toListPrice(origin),
  };
}

function toUnitPrice({ credits, per, roundUp: rounded, tiers: all }: UnitPrice) {
  const [first = { credits, per }] = all ?? [];
  return {
    ...{ credits: first.credits, per: first.per, roundUp: rounded, tiers: all },
    package: rounded === undefined ? undefined : per,
  };
}

function toBand(band: StatedRate["band"]) {
  if (band === undefined) return { fromQuantity: null, from: {} };
  const { of, from } = band;
  return of === null
    ? { fromQuantity: from, from: {} }
    : { fromQuantity: null, from: { [of]: from } };
}

/** Undefined where a rate was not imported. */
function toListPrice(origin: RateOrigin | undefined) {
  if (origin === undefined) return undefined;
  const { listPrice: price, listPer: per, markup, source } = origin;
  const { currency, importedAt } = source;
  return { price, currency, per, markup, importedAt };
}

function toOnePrice({ credits, per, roundUp: rounded, tiers: all }: UnitPrice) {
  return all === undefined
    ? { ...NO_PRICE, credits, per, roundUp: rounded }
    : { ...NO_PRICE, tiers: all };
}

const NO_PRICE = { credits: null, per: null, roundUp: undefined, tiers: undefined };

const NO_TABLE = { dimensions: [], rates: [] };

export function toMeterTerms(terms: MeterTerms) {
  const { feed: fed } = terms;
  const pricing =
    "rates" in terms
      ? {
          ...{ ...NO_PRICE, dimensions: terms.dimensions },
          rates: terms.rates.map((rate) => toUnitRate(terms.dimensions, rate)),
        }
      : { ...toOnePrice(terms), ...NO_TABLE };
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

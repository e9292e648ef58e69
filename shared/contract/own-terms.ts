import { z } from "zod";
import type { OwnTerms } from "../core/offer/own-terms.ts";
import { formatPercent, parsePercent } from "../core/text/percent.ts";
import { termsFields, toMeterTerms } from "./catalogue.ts";
import { noun } from "./noun.ts";
import { instant } from "./wire.ts";

/** Percent on the wire, basis points within. */
export const percent = z.codec(
  z
    .string()
    .max(10)
    .refine(isPercent, "must be a percentage from 0 to 100 with at most two decimals, like 12.5")
    .meta({ description: "In percent.", example: "12.5" }),
  z.number(),
  { decode: parsePercent, encode: formatPercent },
);

function isPercent(text: string): boolean {
  try {
    return !text.endsWith("%") && parsePercent(text) >= 0;
  } catch {
    return false;
  }
}

const { feed: _, ...pricing } = termsFields.meter;

export const ownTermsFields = {
  meter: z
    .string()
    .nullable()
    .meta({ description: "null: all meters without terms of their own." }),
  valid_from: instant,
  discount: percent
    .nullable()
    .meta({ description: "Of the list's rates; 0: the list. null: these are rates." }),
  ...pricing,
  reason: z.string(),
  set_by: z.string(),
};

/** An account's own terms from an instant on. */
export const ownTerms = noun(ownTermsFields).meta({ title: "Own terms" });

export const listOfOwnTerms = noun({ items: z.array(ownTerms) }).meta({
  title: "Own terms of an account",
});

export function toOwnTerms({ meter, validFrom, pricing, reason, setBy }: OwnTerms) {
  const { feed: _none, ...stated } =
    pricing.kind === "rates" ? toMeterTerms(pricing.terms) : NO_RATES;
  const discount = pricing.kind === "discount" ? pricing.basisPoints : null;
  return { meter, validFrom, discount, ...stated, reason, setBy };
}

const NO_RATES = {
  credits: null,
  per: null,
  roundUp: undefined,
  tiers: undefined,
  dimensions: [],
  rates: [],
  feed: null,
};

import { z } from "zod";
import { MAX_BIGINT } from "../core/line/credit-line.ts";
import type { StatedRate, UnitPrice } from "../core/offer/rate-card.ts";
import { commonPer, MOST_RATE_DIMENSIONS, type TableTerms } from "../core/offer/rate-table.ts";
import { findTies, type RateTie } from "../core/offer/rate-ties.ts";
import { patternsText } from "../core/offer/why-no-rate.ts";
import { fields, named } from "./fields.ts";
import { credits, name, units, valuePattern } from "./scalars.ts";

/** The names of the dimensions that a price depends on. */
export const rateDimensions = z
  .array(name, "must list the names of dimensions, such as [model, kind]")
  .min(1, "names nothing; leave it out")
  .max(MOST_RATE_DIMENSIONS, `names more than ${MOST_RATE_DIMENSIONS} dimensions`)
  .check(({ value, issues }) => {
    for (const [at, dimension] of value.entries()) {
      if (value.indexOf(dimension) === at) continue;
      issues.push({ code: "custom", message: "is named twice", path: [at], input: dimension });
    }
  });

/** A price for the values that `when` names; without it, for whatever no other rate matches. */
export const ratesOfMeter = z
  .array(
    fields({
      when: named(
        () => null,
        () => valuePattern,
      ).optional(),
      credits,
      per: units,
    }),
    "must list rates, such as - { when: { model: gpt-5 }, credits: 10, per: 1000000 }",
  )
  .min(1, "lists no rate; state one");

/** What a version of a meter states of its price: one price, or rates by dimensions. */
interface StatedPricing {
  readonly credits?: bigint | undefined;
  readonly per?: bigint | undefined;
  readonly dimensions?: readonly string[] | undefined;
  readonly rates?: z.output<typeof ratesOfMeter> | undefined;
}

/** What is wrong, and where in the version. */
type Report = (message: string, ...path: (string | number)[]) => void;

/** The pricing of a version; null: it was reported why there is none. */
export function pricingOf(stated: StatedPricing, report: Report): UnitPrice | TableTerms | null {
  const { credits: price, per, dimensions, rates } = stated;
  if (dimensions === undefined && rates === undefined) {
    if (price === undefined) report("is missing", "credits");
    if (per === undefined) report("is missing", "per");
    return price === undefined || per === undefined ? null : { credits: price, per };
  }
  if (price !== undefined) report("stands in each of the rates; leave it out here", "credits");
  if (per !== undefined) report("stands in each of the rates; leave it out here", "per");
  if (dimensions === undefined)
    report("is missing; it names what the rates depend on", "dimensions");
  if (rates === undefined) report("is missing; dimensions are named", "rates");
  if (dimensions === undefined || rates === undefined) return null;
  return tableOf(dimensions, rates, report);
}

function tableOf(
  dimensions: readonly string[],
  rates: z.output<typeof ratesOfMeter>,
  report: Report,
): TableTerms | null {
  let isRight = true;
  const wrong: Report = (...problem) => {
    isRight = false;
    report(...problem);
  };
  for (const [at, { when }] of rates.entries()) {
    for (const dimension of when?.keys() ?? []) {
      if (dimensions.includes(dimension)) continue;
      const known = dimensions.join(", ");
      wrong(`is not a dimension of the meter; there are ${known}`, "rates", at, "when", dimension);
    }
  }
  const stated = rates.map(({ when, credits: price, per }): StatedRate => {
    const patterns = dimensions.map((dimension) => when?.get(dimension) ?? null);
    return { patterns, credits: price, per };
  });
  if (isRight) {
    for (const tie of findTies(stated.map(({ patterns }) => patterns))) {
      wrong(tieText(dimensions, stated, tie), "rates", tie.at);
    }
    if (commonPer(stated) > MAX_BIGINT) {
      wrong("have no common multiple of their per in 64 bits; use rounder numbers", "rates");
    }
  }
  return isRight ? { dimensions, rates: stated } : null;
}

function tieText(
  dimensions: readonly string[],
  rates: readonly StatedRate[],
  tie: RateTie,
): string {
  const other = patternsText(dimensions, rates[tie.other]?.patterns ?? []);
  if (tie.kind === "same") return `is the second one for ${other}`;
  const missing = patternsText(dimensions, tie.missing);
  return `may match the same events as the one for ${other}; state a rate for ${missing} too`;
}

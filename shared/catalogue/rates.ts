import { z } from "zod";
import { MAX_BIGINT } from "../core/line/credit-line.ts";
import type { RateCondition } from "../core/offer/rate-bands.ts";
import type { RoundUp, StatedRate, UnitPrice } from "../core/offer/rate-card.ts";
import { commonPer, MOST_RATE_DIMENSIONS, type TableTerms } from "../core/offer/rate-table.ts";
import { findTies, type RateTie } from "../core/offer/rate-ties.ts";
import { conditionText, countedText, patternsText } from "../core/offer/why-no-rate.ts";
import { idProblem } from "../core/text/text.ts";
import { fields, named } from "./fields.ts";
import { bandStart, credits, name, roundUp, units, valuePattern } from "./scalars.ts";
import { type GivenTiers, priceOfTiers } from "./tiers.ts";

/** The names of the dimensions that a price depends on. */
export const rateDimensions = z
  .array(name, "must list the names of dimensions, such as [model, kind]")
  .max(MOST_RATE_DIMENSIONS, `names more than ${MOST_RATE_DIMENSIONS} dimensions`)
  .check(({ value, issues }) => {
    for (const [at, dimension] of value.entries()) {
      if (value.indexOf(dimension) === at) continue;
      issues.push({ code: "custom", message: "is named twice", path: [at], input: dimension });
    }
  });

/** A dimension and the number in it. */
const bandOfDimension = named(problemOfName, () => bandStart).check(({ value, issues }) => {
  if (value.size < 2) return;
  issues.push({
    code: "custom",
    message: `names ${value.size} dimensions; a band begins at a number in one`,
    input: value,
  });
});

/**
 * A price for the values that `when` names; without it, for whatever no other rate matches. `from_quantity` or
 * `from` says from where on it holds.
 */
export const ratesOfMeter = z
  .array(
    fields({
      when: named(
        () => null,
        () => valuePattern,
      ).optional(),
      from_quantity: bandStart.optional(),
      from: bandOfDimension.optional(),
      ...{ credits, per: units, round_up: roundUp.optional() },
    }),
    "must list rates, such as - { when: { model: gpt-5 }, credits: 10, per: 1000000 }",
  )
  .min(1, "lists no rate; state one");

/** What a version of a meter states of its price: one price, or rates by dimensions and bands. */
interface StatedPricing {
  readonly credits?: bigint | undefined;
  readonly per?: bigint | undefined;
  readonly round_up?: RoundUp | undefined;
  readonly tiers?: GivenTiers | undefined;
  readonly dimensions?: readonly string[] | undefined;
  readonly rates?: z.output<typeof ratesOfMeter> | undefined;
}

/** What is wrong, and where in the version. */
type Report = (message: string, ...path: (string | number)[]) => void;

/** The pricing of a version; null: it was reported why there is none. */
export function pricingOf(stated: StatedPricing, report: Report): UnitPrice | TableTerms | null {
  const { credits: price, per, dimensions, rates } = stated;
  if (dimensions === undefined && rates === undefined) return onePrice(stated, report);
  if (stated.tiers !== undefined) {
    report("count the usage of a month, which rates do not; state a meter for each", "tiers");
  }
  const ofEach = { credits: price, per, round_up: stated.round_up };
  for (const [field, given] of Object.entries(ofEach)) {
    if (given !== undefined) report("stands in each of the rates; leave it out here", field);
  }
  if (rates === undefined) {
    report("is missing; dimensions are named", "rates");
    return null;
  }
  const known = dimensions ?? [];
  if (known.length > 0 || rates.some(isBanded)) return tableOf(known, rates, report);
  const problem = dimensions === undefined ? "is missing" : "names nothing";
  report(`${problem}; it names what the rates depend on, where none has a band`, "dimensions");
  return null;
}

function onePrice(stated: StatedPricing, report: Report): UnitPrice | null {
  const { credits: price, per, round_up, tiers } = stated;
  if (tiers !== undefined) {
    const beside = Object.entries({ credits: price, per, round_up }).filter(
      ([, given]) => given !== undefined,
    );
    for (const [field] of beside)
      report("stands beside tiers, which have prices of their own; leave it out", field);
    const tiered = priceOfTiers(tiers, report);
    return beside.length === 0 ? tiered : null;
  }
  if (price === undefined) report("is missing", "credits");
  if (per === undefined) report("is missing", "per");
  if (price === undefined || per === undefined) return null;
  return { credits: price, per, ...roundingOf({ round_up }) };
}

function roundingOf({ round_up }: Pick<StatedPricing, "round_up">): Pick<UnitPrice, "roundUp"> {
  return round_up === undefined ? {} : { roundUp: round_up };
}

type GivenRate = z.output<typeof ratesOfMeter>[number];

function isBanded({ from_quantity, from }: GivenRate): boolean {
  return from_quantity !== undefined || from !== undefined;
}

function tableOf(
  dimensions: readonly string[],
  rates: readonly GivenRate[],
  report: Report,
): TableTerms | null {
  let isRight = true;
  const wrong: Report = (...problem) => {
    isRight = false;
    report(...problem);
  };
  reportEach(dimensions, rates, wrong);
  const stated = rates.map((rate): StatedRate => {
    const { when, credits: price, per } = rate;
    const patterns = dimensions.map((dimension) => when?.get(dimension) ?? null);
    return { patterns, ...bandOf(rate), credits: price, per, ...roundingOf(rate) };
  });
  if (isRight) {
    for (const tie of findTies(stated)) {
      wrong(tieText(dimensions, stated, tie), "rates", tie.at);
    }
    if (commonPer(stated) > MAX_BIGINT) {
      wrong("have no common multiple of their per in 64 bits; use rounder numbers", "rates");
    }
  }
  return isRight ? { dimensions, rates: stated } : null;
}

/** What is wrong in a rate by itself. */
function reportEach(
  dimensions: readonly string[],
  rates: readonly GivenRate[],
  report: Report,
): void {
  const known = dimensions.length === 0 ? "it names none" : `there are ${dimensions.join(", ")}`;
  for (const [at, { when, from_quantity, from, round_up }] of rates.entries()) {
    for (const dimension of when?.keys() ?? []) {
      if (dimensions.includes(dimension)) continue;
      report(`is not a dimension of the meter; ${known}`, "rates", at, "when", dimension);
    }
    if (round_up === "each_month") {
      report(
        "is the usage of a month, which a meter with one price alone counts",
        "rates",
        at,
        "round_up",
      );
    }
    if (from_quantity !== undefined && from !== undefined) {
      report("stands beside from_quantity; a band begins at one of them", "rates", at, "from");
    }
  }
}

function bandOf({ from_quantity, from }: GivenRate): Pick<StatedRate, "band"> {
  if (from_quantity !== undefined) return { band: { of: null, from: from_quantity } };
  const [[of, begin] = []] = from ?? [];
  return of === undefined || begin === undefined ? {} : { band: { of, from: begin } };
}

function problemOfName(text: string): string | null {
  return idProblem("the name", text);
}

function tieText(
  dimensions: readonly string[],
  rates: readonly StatedRate[],
  tie: RateTie,
): string {
  const one: RateCondition = rates[tie.other] ?? { patterns: [] };
  if (tie.kind === "same") return `is the second one for ${conditionText(dimensions, one)}`;
  const other = patternsText(dimensions, one.patterns);
  if (tie.kind === "mixed") {
    const [counted, before] = [rates[tie.at], one].map((rate) => {
      return countedText(rate?.band?.of ?? null);
    });
    return `counts ${counted}, but another one for ${other} counts ${before}; bands of the same values count one thing`;
  }
  const missing = patternsText(dimensions, tie.missing);
  return `may match the same events as the one for ${other}; state a rate for ${missing} too`;
}

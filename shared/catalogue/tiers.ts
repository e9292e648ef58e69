import { z } from "zod";
import { MAX_BIGINT } from "../core/line/credit-line.ts";
import { tieredPrice } from "../core/offer/month-price.ts";
import type { Tier, UnitPrice } from "../core/offer/rate-card.ts";
import { commonPer } from "../core/offer/rate-table.ts";
import { fields } from "./fields.ts";
import { credits, tierEnd, units } from "./scalars.ts";

/** A meter's price has no more tiers than these. */
export const MOST_TIERS = 100;

/** Prices by what was used in the month, each up to a last unit; the last one has no end. */
export const tiersOfMeter = z
  .array(
    fields({ up_to: tierEnd.optional(), credits, per: units }),
    "must list tiers, such as - { up_to: 1000, credits: 2, per: 1 }",
  )
  .min(1, "lists no tier; state some")
  .max(MOST_TIERS, `lists more than ${MOST_TIERS} tiers`);

export type GivenTiers = z.output<typeof tiersOfMeter>;

/** What is wrong, and where in the version. */
type Report = (message: string, ...path: (string | number)[]) => void;

/** The price that tiers state; null: it was reported why there is none. */
export function priceOfTiers(given: GivenTiers, report: Report): UnitPrice | null {
  let isRight = true;
  const wrong: Report = (...problem) => {
    isRight = false;
    report(...problem);
  };
  let from = 0n;
  for (const [at, { up_to: upTo }] of given.entries()) {
    const isLast = at === given.length - 1;
    if (upTo === undefined) {
      if (!isLast) wrong("is missing; only the last tier has no end", "tiers", at, "up_to");
    } else if (isLast) wrong("ends the last tier; leave it out", "tiers", at, "up_to");
    else if (upTo <= from) {
      wrong(`must be more than ${from}, where the tier before ends`, "tiers", at, "up_to");
    } else from = upTo;
  }
  const tiers = given.map(({ up_to: upTo, credits: price, per }): Tier => {
    return { upTo: upTo ?? null, credits: price, per };
  });
  if (commonPer(tiers) > MAX_BIGINT) {
    wrong("have no common multiple of their per in 64 bits; use rounder numbers", "tiers");
  }
  return isRight ? tieredPrice(tiers) : null;
}

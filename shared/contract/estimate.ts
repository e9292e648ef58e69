import { z } from "zod";
import type { AccountId } from "../core/line/account.ts";
import type { MicroCredits } from "../core/line/credit-line.ts";
import type { CostEstimate, EstimatedLine } from "../core/usage/estimate-cost.ts";
import { rateAsStated, unitRateFields } from "./catalogue.ts";
import { noun } from "./noun.ts";
import { valuesByName } from "./values-by-name.ts";
import { accountId, count, credits, instant, totalCredits } from "./wire.ts";

const line = noun({
  meter: z.string(),
  quantity: count,
  dimensions: valuesByName(z.string()),
  occurred_at: instant,
  least: totalCredits.nullable().meta({ description: "Micro-credits; null: it has no price." }),
  most: totalCredits.nullable().meta({
    description:
      "One more than `least` where what an account has carried along may complete a micro-credit. The same with an account.",
  }),
  rate: noun({ valid_from: instant, ...unitRateFields })
    .meta({ title: "Estimate rate" })
    .nullable()
    .meta({ description: "The rate that prices it; null: none does." }),
  reason: z
    .enum(["unknown_meter", "no_price"])
    .nullable()
    .meta({ description: "Why it has no price; null: it has one." }),
  detail: z.string().nullable().meta({ description: "The same as a sentence." }),
}).meta({ title: "Estimate line" });

/** What usage would cost, and whether an account's balance covers it. */
export const estimate = noun({
  account_id: accountId.nullable(),
  lines: z.array(line),
  least: totalCredits.meta({ description: "Of all lines with a price together." }),
  most: totalCredits,
  unpriced: z.number().int().meta({ description: "The number of lines without a price." }),
  balance: credits.nullable().meta({
    description: "Micro-credits left to use, as in the balance; null: of no account.",
  }),
  covered: z.boolean().nullable().meta({
    description:
      "Whether the balance covers all lines; null: of no account, or a line without a price decides.",
  }),
}).meta({ title: "Estimate" });

/** An account for which usage is estimated, and what is available of its credits. */
export interface EstimatedFor {
  readonly accountId: AccountId;
  readonly balance: MicroCredits;
}

/** `of` null: of no account. */
export function toEstimate({ lines, total }: CostEstimate, of: EstimatedFor | null) {
  const unpriced = lines.filter(({ kind }) => kind === "unpriced").length;
  const account =
    of === null
      ? { accountId: null, balance: null, covered: null }
      : { ...of, covered: covers(of.balance, total.most, unpriced) };
  return { ...account, lines: lines.map(toLine), ...total, unpriced };
}

/** Null: nobody knows what the lines without a price will cost. */
function covers(balance: MicroCredits, most: MicroCredits, unpriced: number): boolean | null {
  if (balance < most) return false;
  return unpriced === 0 ? true : null;
}

function toLine(line: EstimatedLine) {
  if (line.kind === "unpriced") {
    const { reason, detail } = line;
    return { ...line.usage, least: null, most: null, rate: null, reason, detail };
  }
  const { usage, cost, rate } = line;
  const pricedBy = { validFrom: rate.validFrom, ...rateAsStated(rate) };
  return { ...usage, ...cost, rate: pricedBy, reason: null, detail: null };
}

import { z } from "zod";
import { pricingOf } from "../../../shared/catalogue/rates.ts";
import { MOST_TIERS } from "../../../shared/catalogue/tiers.ts";
import {
  listOfOwnTerms,
  ownTerms,
  percent,
  toOwnTerms,
} from "../../../shared/contract/own-terms.ts";
import { valuesByName } from "../../../shared/contract/values-by-name.ts";
import { count, credits, id, instant, words } from "../../../shared/contract/wire.ts";
import type { OwnPricing } from "../../../shared/core/offer/own-terms.ts";
import { MOST_RATE_DIMENSIONS } from "../../../shared/core/offer/rate-table.ts";
import { patternProblem } from "../../../shared/core/offer/value-pattern.ts";
import { idProblem } from "../../../shared/core/text/text.ts";
import type { EventWindow } from "../../../shared/core/usage/usage-event.ts";
import { listOwnTermsOf } from "../../../shared/ledger/catalogue/own-terms.ts";
import { setOwnTerms } from "../../../shared/ledger/credits/set-own-terms.ts";
import { nameOf } from "../access/caller.ts";
import { badRequest, refuse } from "../problem.ts";
import { READ, type RouteContext, readOfAccount, requestBody, route, WRITE } from "./route.ts";

interface OwnRatesContext extends RouteContext {
  readonly usage: { readonly window: EventWindow };
}

const MOST_RATES = 1_000;

const price = credits.refine((given) => given >= 0n, "is below zero");
const roundUp = z.enum(["each_event", "each_month"]);
const from1 = count.refine((given) => given > 0n, "must be at least 1");
const value = words(1_024).refine(
  (text) => (idProblem("the value", text) ?? patternProblem(text)) === null,
  "must be a value like gpt-5, or gpt-5-*",
);

const rate = z
  .strictObject({
    when: valuesByName(value, { name: id("dimension") }).optional(),
    from_quantity: from1.optional(),
    from: valuesByName(from1, { name: id("dimension") }).optional(),
    credits: price,
    per: from1,
    round_up: roundUp.optional(),
  })
  .meta({ title: "New own rate" });

const tier = z
  .strictObject({ up_to: from1.optional(), credits: price, per: from1 })
  .meta({ title: "New own tier" });

const newTerms = requestBody("New own terms", {
  meter: id("meter").nullable().optional().meta({
    description:
      "Left out: all meters without terms of their own, which a discount alone can be for.",
  }),
  discount: percent.optional(),
  credits: price.optional(),
  per: from1.optional(),
  round_up: roundUp.optional(),
  tiers: z.array(tier).min(1).max(MOST_TIERS).optional(),
  dimensions: z.array(id("dimension")).max(MOST_RATE_DIMENSIONS).optional(),
  rates: z.array(rate).min(1).max(MOST_RATES).optional(),
  valid_from: instant.optional().meta({
    description: "Left out: now, or as soon as no metered event would get another price.",
  }),
  reason: words(1_024).min(1),
});

type NewTerms = z.output<typeof newTerms>;

export const ownRatesRoutes = [
  route(
    {
      ...READ,
      path: "/v1/accounts/:account_id/rates",
      tag: "catalogue",
      summary: "List an account's own terms, oldest first",
      description:
        "Of those for a meter the newest that holds counts, else the newest for all meters.",
      response: { 200: listOfOwnTerms },
    },
    ({ params: { account_id } }, context) =>
      readOfAccount(context, account_id, async (transaction) => {
        return { items: (await listOwnTermsOf(transaction, account_id)).map(toOwnTerms) };
      }),
  ),
  route(
    {
      ...WRITE,
      access: "catalogue",
      method: "POST",
      path: "/v1/accounts/:account_id/rates",
      tag: "catalogue",
      summary: "Give an account a discount or rates of its own",
      description:
        "A `discount` (0: the list again), or for a `meter` rates as in the catalogue: `credits` and `per`, or `rates`, by `dimensions` if they depend on some. What these do not match is priced by the list. Terms are only followed by others; the same again change nothing and answer 200.",
      body: newTerms,
      response: { 200: ownTerms, 201: ownTerms },
    },
    async (request, { database, now, usage }: OwnRatesContext, reply) => {
      const { body, params } = request;
      const by = { accountId: params.account_id, now: now(), by: nameOf(request) };
      const { meter = null, valid_from: validFrom = null, reason } = body;
      const terms = { meter, validFrom, reason, pricing: pricingIn(body) };
      const outcome = await setOwnTerms(database, by, terms, usage.window.maxAheadMs);
      if (outcome.kind !== "set" && outcome.kind !== "already_exists") {
        throw refuse(outcome, outcome.kind === "too_early" ? "valid_from" : undefined);
      }
      void reply.status(outcome.kind === "set" ? 201 : 200);
      return toOwnTerms(outcome.terms);
    },
  ),
];

/** Throws a Problem. */
function pricingIn({ meter = null, discount, ...stated }: NewTerms): OwnPricing {
  const { credits: each, per, round_up, tiers, dimensions, rates } = stated;
  const hasRates = [each, per, round_up, tiers, dimensions, rates].some(
    (part) => part !== undefined,
  );
  if (discount !== undefined) {
    if (hasRates) throw badRequest("discount", "or rates must be given, not both");
    return { kind: "discount", basisPoints: discount };
  }
  if (!hasRates) throw badRequest("discount", "or rates must be given");
  if (meter === null) throw badRequest("meter", "is missing; rates are for one meter");
  const problems: { message: string; path: string }[] = [];
  const given = { credits: each, per, round_up, tiers, dimensions, rates: rates?.map(toGiven) };
  const terms = pricingOf(given, (message, ...path) => {
    problems.push({ message, path: path.join(".") });
  });
  const [first] = problems;
  if (first !== undefined || terms === null) {
    throw badRequest(first?.path ?? "rates", first?.message ?? "are wrong");
  }
  return { kind: "rates", terms };
}

function toGiven({ when, from, ...rest }: z.output<typeof rate>) {
  return {
    ...rest,
    ...(when === undefined ? {} : { when: new Map(Object.entries(when)) }),
    ...(from === undefined ? {} : { from: new Map(Object.entries(from)) }),
  };
}

import { z } from "zod";
import { estimate, toEstimate } from "../../../shared/contract/estimate.ts";
import { valuesByName } from "../../../shared/contract/values-by-name.ts";
import { accountId, count, id, instant } from "../../../shared/contract/wire.ts";
import type { AccountId, Instant } from "../../../shared/core/line/account.ts";
import { availableAt } from "../../../shared/core/line/available.ts";
import { cardOf } from "../../../shared/core/offer/rates.ts";
import { estimateCost, type UsageToCome } from "../../../shared/core/usage/estimate-cost.ts";
import { linesOf } from "../../../shared/core/usage/event-lines.ts";
import {
  MAX_QUANTITIES,
  quantitiesProblem,
  TEXT_PROBLEM,
} from "../../../shared/core/usage/usage-event.ts";
import { readLotsIfDue } from "../../../shared/ledger/books/read-lots.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import { estimateUsage } from "../../../shared/ledger/usage/estimate-usage.ts";
import { checkAccount } from "../access/check-access.ts";
import { badRequest } from "../problem.ts";
import { type RouteContext, readOfAccount, requestBody, route } from "./route.ts";

const MOST_USAGES = 1_000;

const WHOLE = "must be a whole number of at least 0, in digits";

export const dimensions = valuesByName(z.string()).superRefine((values, context) => {
  const problem = TEXT_PROBLEM.dimensions(values);
  if (problem !== null) context.addIssue({ code: "custom", message: problem });
});

export const quantity = z.union(
  [z.int().min(0), count.refine((quantity) => quantity >= 0n, WHOLE)],
  {
    error: WHOLE,
  },
);

/** Usage to come: the fields of an event that its price depends on. */
const usageFields = {
  meter: id("meter"),
  quantity: quantity.meta({ description: "In the meter's smallest whole unit." }),
  quantities: valuesByName(quantity)
    .optional()
    .meta({
      description: `Of up to ${MAX_QUANTITIES} further meters, by meter: a line for each, after that of \`meter\`, by name.`,
    }),
  dimensions: dimensions.optional(),
  occurred_at: instant.optional().meta({ description: "Which prices hold. Default: now." }),
};

const usageToCome = z.strictObject(usageFields).meta({ title: "Usage to come" });

const asked = requestBody("Usage to estimate", {
  account_id: accountId.optional().meta({
    description: "With an account the costs are exact. A dashboard token has to name its own.",
  }),
  ...z.object(usageFields).partial().shape,
  usages: z
    .array(usageToCome)
    .min(1)
    .max(MOST_USAGES)
    .optional()
    .meta({ description: "Several, metered in this order, instead of the fields of one." }),
});

/** What usage would cost, by the code that meters. */
export const estimateRoute = route(
  {
    method: "POST",
    path: "/v1/estimate",
    access: "read",
    byToken: true,
    byRestrictedKey: true,
    changesNothing: true,
    tag: "usage",
    summary: "Estimate what usage would cost",
    description:
      "Give the fields of one event (`meter`, `quantity`, `quantities`, `dimensions`, `occurred_at`), or several as `usages`. What has no price says why; the rest is priced. Nothing is reserved or stored.",
    body: asked,
    response: { 200: estimate },
  },
  async ({ body, caller }, context) => {
    const { account_id: accountId = null } = body;
    checkAccount(caller, accountId);
    const usages = usagesOf(body, context.now());
    return accountId === null
      ? estimateOfAny(context, usages)
      : estimateOf(context, accountId, usages);
  },
);

function estimateOfAny({ database, readRates }: RouteContext, usages: readonly UsageToCome[]) {
  return readSnapshot(database, async (transaction) =>
    toEstimate(estimateCost((await readRates(transaction)).list, usages, null), null),
  );
}

function estimateOf(context: RouteContext, accountId: AccountId, usages: readonly UsageToCome[]) {
  return readOfAccount(context, accountId, async (transaction, { account }) => {
    const card = cardOf(await context.readRates(transaction), accountId);
    const estimated = await estimateUsage(transaction, card, accountId, usages);
    const at = context.now();
    const balance = availableAt(account, await readLotsIfDue(transaction, account, at), at);
    return toEstimate(estimated, { accountId, balance });
  });
}

/** The lines of what is asked for. Throws a Problem. */
function usagesOf({ usages, ...one }: z.output<typeof asked>, now: Instant): UsageToCome[] {
  const { meter, quantity, ...rest } = one;
  if (usages === undefined) {
    if (meter === undefined) throw badRequest("meter", "is missing; or give usages");
    if (quantity === undefined) throw badRequest("quantity", "is missing");
    return toLines({ meter, quantity, ...rest }, "", now);
  }
  const given = Object.keys(one).filter((field) => field !== "account_id");
  if (given.length > 0) throw badRequest("usages", `cannot stand beside ${given.join(", ")}`);
  return usages.flatMap((usage, at) => toLines(usage, `usages.${at}.`, now));
}

/** `place`: what the names of its fields begin with. */
function toLines(usage: z.output<typeof usageToCome>, place: string, now: Instant): UsageToCome[] {
  const { meter, dimensions = {}, occurred_at: occurredAt = now } = usage;
  const further = Object.entries(usage.quantities ?? {});
  const quantities = Object.fromEntries(further.map(([name, each]) => [name, BigInt(each)]));
  const used = { meter, quantity: BigInt(usage.quantity), quantities };
  const problem = quantitiesProblem(used);
  if (problem !== null) throw badRequest(`${place}quantities`, `cannot be read: ${problem}`);
  return linesOf(used).map((line) => ({ ...line, dimensions, occurredAt }));
}

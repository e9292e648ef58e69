import { createHash } from "node:crypto";
import { z } from "zod";
import { endedHoldPage, hold, holdPage, toHold } from "../../../shared/contract/hold.ts";
import { listOf, page } from "../../../shared/contract/page.ts";
import { holdProblem } from "../../../shared/contract/problem.ts";
import { shortage } from "../../../shared/contract/shortage.ts";
import {
  accountId,
  credits,
  id,
  instant,
  pathId,
  totalCredits,
} from "../../../shared/contract/wire.ts";
import { HOLD_SECONDS } from "../../../shared/core/holds/hold.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { MAX_BIGINT, type MicroCredits } from "../../../shared/core/line/credit-line.ts";
import type { HoldAsked, HoldOutcome } from "../../../shared/ledger/holds/change-holds.ts";
import {
  listEndedHolds,
  listOpenHolds,
  readHold,
} from "../../../shared/ledger/holds/read-holds.ts";
import { readShortage } from "../../../shared/ledger/payments/read-shortage.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import { nameOf } from "../access/caller.ts";
import { Problem, refuse } from "../problem.ts";
import { costOf } from "./cost.ts";
import { dimensions, quantity } from "./estimate.ts";
import { READ, type RouteContext, readOfAccount, requestBody, route } from "./route.ts";

const { least, usual, most } = HOLD_SECONDS;

const ttlSeconds = z
  .int()
  .min(least)
  .max(most)
  .meta({ description: `From now on; at most ${most}.` });

const newHold = requestBody("New hold", {
  hold_id: pathId("hold_id").meta({
    description: "The caller's. Asked for again in the same way, it is the same hold.",
  }),
  credits: credits.optional(),
  meter: id("meter").optional().meta({
    description: "Instead of credits: what the quantity costs at most, at the prices of now.",
  }),
  quantity: quantity.optional(),
  dimensions: dimensions.optional(),
  partial: z.boolean().default(false).meta({
    description: "true: where less is available, it is given.",
  }),
  ttl_seconds: ttlSeconds.default(usual),
});

type NewHold = z.output<typeof newHold>;

/** Whoever publishes usage may set credits aside for it. */
const CHANGE = { access: ["ingest", "billing"], tag: "holds" } as const;
const PATH = "/v1/accounts/:account_id/holds";
const ONE = `${PATH}/:hold_id`;

const ofAccount = z.object({ account_id: accountId });
const ofHold = z.object({ account_id: accountId, hold_id: id("hold_id") });

const TOO_LITTLE = {
  description: "There is too little; nothing was set aside.",
  content: { "application/problem+json": { schema: holdProblem } },
} as const;

export const holdRoutes = [
  route(
    {
      ...CHANGE,
      method: "POST",
      path: PATH,
      params: ofAccount,
      summary: "Set credits aside for usage to come",
      description:
        "Given only if `available`, with the account's overdraft if it has one, covers it, or else 402 (`insufficient_credits`, with `asked`, `available` and `shortage`: why, and when that may change); durable once answered. Give `credits`, or a `meter` and a `quantity`, and the `dimensions` of the usage: their budgets must cover it, too, or else 402 (`budget_used_up`, with the tightest as `budget`). A hold ends when it is captured and used up, released, or when its time is over. It never moves the balance, and usage is metered whatever is held.",
      body: newHold,
      response: { 201: hold, 402: TOO_LITTLE },
    },
    async (request, context) => {
      const { account_id } = request.params;
      const { body } = request;
      return changed(context, {
        ...{ kind: "hold", accountId: account_id, holdId: body.hold_id },
        ...{ request: digestOf(body), credits: await creditsOf(context, account_id, body) },
        ...{ partial: body.partial, ttlMs: body.ttl_seconds * 1_000, by: nameOf(request) },
        dimensions: body.dimensions ?? null,
      });
    },
  ),
  route(
    {
      ...READ,
      path: PATH,
      tag: "holds",
      summary: "List an account's open holds, the one that ends first first, or its ended ones",
      description:
        "`ended=true`: those of the last 40 days that have ended, the last one first, instead.",
      query: page.extend({ ended: z.enum(["true", "false"]).optional() }),
      response: { 200: listOf(hold) },
    },
    ({ params: { account_id }, query }, context) =>
      readOfAccount(context, account_id, (transaction) =>
        query.ended === "true"
          ? endedHoldPage(query, (range) => listEndedHolds(transaction, account_id, range))
          : holdPage(query, (range) => listOpenHolds(transaction, account_id, range)),
      ),
  ),
  route(
    {
      ...READ,
      path: ONE,
      params: ofHold,
      tag: "holds",
      summary: "Show a hold, for 40 days after its end",
      response: { 200: hold },
    },
    ({ params }, context) =>
      readOfAccount(context, params.account_id, async (transaction) => {
        const place = placeOf(params);
        const found = await readHold(transaction, place);
        if (found === null) throw refuse({ kind: "unknown_hold", holdId: place.holdId });
        return toHold(found);
      }),
  ),
  route(
    {
      ...CHANGE,
      method: "PATCH",
      path: ONE,
      params: ofHold,
      summary: "Extend a hold's time",
      description: "It ends `ttl_seconds` from now, or when it would have ended if that is later.",
      body: requestBody("Hold extension", { ttl_seconds: ttlSeconds }),
      response: { 200: hold },
    },
    ({ params, body }, context) =>
      changed(context, { kind: "extend", ...placeOf(params), ttlMs: body.ttl_seconds * 1_000 }),
  ),
  route(
    {
      ...CHANGE,
      method: "POST",
      path: `${ONE}/capture`,
      params: ofHold,
      summary: "Close a hold with a final amount",
      description:
        "What is above it is available at once. What of it no usage has used yet stays held, for usage under way, until that is metered or the hold's time is over. The same again changes nothing.",
      body: requestBody("Capture", {
        credits: credits
          .refine((final) => final >= 0n, "is below zero")
          .meta({ description: "What the usage costs in all, also what is metered already." }),
      }),
      response: { 200: hold },
    },
    ({ params, body }, context) =>
      changed(context, { kind: "capture", ...placeOf(params), credits: body.credits }),
  ),
  route(
    {
      ...CHANGE,
      method: "POST",
      path: `${ONE}/release`,
      params: ofHold,
      summary: "Give back what a hold sets aside",
      description: "The same again changes nothing.",
      response: { 200: hold },
    },
    ({ params }, context) => changed(context, { kind: "release", ...placeOf(params) }),
  ),
];

function placeOf({ account_id, hold_id }: z.output<typeof ofHold>) {
  return { accountId: account_id, holdId: hold_id };
}

/** The hold after a change. Throws a Problem if it is refused. */
async function changed(context: RouteContext, asked: HoldAsked) {
  const outcome = await context.changeHold(asked);
  if (outcome.kind === "insufficient_credits") throw await tooLittle(context, asked, outcome);
  if (outcome.kind === "budget_used_up") throw usedUp(outcome);
  if (outcome.kind === "no_credits") {
    const detail = "a hold sets more than 0 credits aside; usage that costs nothing needs none";
    throw new Problem(422, outcome.kind, detail, { field: "credits" });
  }
  if (outcome.kind !== "held") throw refuse(outcome);
  return toHold(outcome.hold);
}

/** With members for programs: what is asked for and available, why, and when that may change. */
async function tooLittle(
  { database, now }: RouteContext,
  { accountId }: HoldAsked,
  refusal: Extract<HoldOutcome, { kind: "insufficient_credits" }>,
): Promise<Problem> {
  const { asked, available } = refusal;
  const short = await readSnapshot(database, (transaction) =>
    readShortage(transaction, accountId, now()),
  );
  const members = {
    ...{ asked: credits.encode(asked), available: totalCredits.encode(available) },
    shortage: short && shortage.encode(short),
  };
  const { status, code, message, field } = refuse(refusal);
  return new Problem(status, code, message, { ...(field === undefined ? {} : { field }), members });
}

/** With members for programs: which budget, what is left of it, and when its window turns. */
function usedUp(refusal: Extract<HoldOutcome, { kind: "budget_used_up" }>): Problem {
  const { dimension, value, window, asked, left, turnsAt } = refusal;
  const { status, code, message } = refuse(refusal);
  const budget = {
    ...{ dimension, value, window, left: totalCredits.encode(left) },
    ends_at: turnsAt === null ? null : instant.encode(turnsAt),
  };
  const members = { asked: credits.encode(asked), budget };
  return new Problem(status, code, message, { field: "credits", members });
}

async function creditsOf(
  context: RouteContext,
  account: AccountId,
  { credits, meter, quantity, dimensions, ttl_seconds }: NewHold,
): Promise<MicroCredits> {
  if (credits !== undefined && meter === undefined && quantity === undefined) return credits;
  const cost = {
    ...{ credits, meter, dimensions },
    quantity: quantity === undefined ? undefined : BigInt(quantity),
  };
  const until = context.now() + ttl_seconds * 1_000;
  const most = await readSnapshot(context.database, (transaction) =>
    costOf(context, transaction, account, cost, until),
  );
  if (most > MAX_BIGINT) throw refuse({ kind: "overflow", most: MAX_BIGINT });
  return most;
}

/** What is asked for, whatever it costs at the moment. */
function digestOf({ credits, meter, quantity, dimensions = {}, ...rest }: NewHold): string {
  const { partial, ttl_seconds } = rest;
  const values = Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1));
  const asked = [String(credits), meter, String(quantity), values, partial, ttl_seconds];
  return createHash("sha256").update(JSON.stringify(asked)).digest("hex");
}

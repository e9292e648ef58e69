import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { budget, budgetPage, budgetWindow, toBudget } from "../../../shared/contract/budget.ts";
import { listOf, page } from "../../../shared/contract/page.ts";
import { accountId, credits, id, words } from "../../../shared/contract/wire.ts";
import type { BudgetPlace } from "../../../shared/core/budgets/budget.ts";
import { MOST_VALUE_LENGTH } from "../../../shared/core/budgets/budget-value.ts";
import { listBudgets } from "../../../shared/ledger/budgets/list-budgets.ts";
import { deleteBudget, setBudget } from "../../../shared/ledger/budgets/set-budget.ts";
import { nameOf } from "../access/caller.ts";
import { refuse } from "../problem.ts";
import {
  HEAVY_READ,
  type RouteContext,
  readOfAccount,
  requestBody,
  route,
  WRITE,
} from "./route.ts";

const LIST = "/v1/accounts/:account_id/budgets";
const OF_EVERY = `${LIST}/:dimension/:window`;
const OF_VALUE = `${OF_EVERY}/values/:value`;
const TAG = { ...WRITE, tag: "budgets" } as const;

const ofEvery = z.object({
  account_id: accountId,
  dimension: id("dimension"),
  window: budgetWindow,
});
const ofValue = ofEvery.extend({ value: words(MOST_VALUE_LENGTH).min(1) });

const newBudget = requestBody("New budget", {
  credits: credits
    .refine((given) => given >= 0n, "is below zero")
    .meta({ description: "The most that may be spent in a window; 0: nothing." }),
});

const ABOUT =
  "It takes the place of the one before, and may be below what is spent already. The first one of a dimension and window counts what was spent so far in the window; `counted_since` says where that was too much to count at once.";

const SET = {
  ...TAG,
  method: "PUT",
  body: newBudget,
  response: { 200: budget, 201: budget },
} as const;
const DELETE = { ...TAG, method: "DELETE", response: { 204: z.undefined() } } as const;

export const budgetRoutes = [
  route(
    {
      ...HEAVY_READ,
      path: LIST,
      tag: "budgets",
      summary: "List an account's budgets, the fullest first",
      description:
        "Of each value that has a budget or, under one of every value, has spent in its window of now. A later page shows what is full then.",
      query: page,
      response: { 200: listOf(budget) },
    },
    ({ params: { account_id }, query }, context) =>
      readOfAccount(context, account_id, (transaction, { account }) =>
        budgetPage(query, (count) => listBudgets(transaction, account, context.now(), count)),
      ),
  ),
  route(
    {
      ...{ ...SET, path: OF_EVERY, params: ofEvery },
      summary: "Set the budget of every value of a dimension that has none of its own",
      description: ABOUT,
    },
    (request, context, reply) => setAt(request, placeOf(request.params), context, reply),
  ),
  route(
    {
      ...{ ...SET, path: OF_VALUE, params: ofValue },
      summary: "Set the budget of one value of a dimension",
      description: ABOUT,
    },
    (request, context, reply) => setAt(request, placeOf(request.params), context, reply),
  ),
  route(
    {
      ...{ ...DELETE, path: OF_EVERY, params: ofEvery },
      summary: "Delete the budget of every value of a dimension",
      description: "Those of single values stay.",
    },
    (request, context, reply) => deleteAt(request, placeOf(request.params), context, reply),
  ),
  route(
    {
      ...{ ...DELETE, path: OF_VALUE, params: ofValue },
      summary: "Delete the budget of one value of a dimension",
      description: "From then on it has that of every value, if there is one.",
    },
    (request, context, reply) => deleteAt(request, placeOf(request.params), context, reply),
  ),
];

function placeOf({
  account_id: accountId,
  dimension,
  window,
  value = "",
}: z.output<typeof ofEvery> & { readonly value?: string }): BudgetPlace {
  return { accountId, dimension, window, value };
}

type Caller = Pick<FastifyRequest, "caller">;

/** Throws a Problem if it is refused. */
async function setAt(
  request: Caller & { readonly body: z.output<typeof newBudget> },
  { accountId, ...place }: BudgetPlace,
  { database, now }: RouteContext,
  reply: FastifyReply,
) {
  const by = { accountId, now: now(), by: nameOf(request) };
  const outcome = await setBudget(database, by, { ...place, ...request.body });
  if (outcome.kind !== "set") throw refuse(outcome);
  void reply.status(outcome.isNew ? 201 : 200);
  return toBudget(outcome.budget);
}

/** Throws a Problem if it is refused. */
async function deleteAt(
  request: Caller,
  { accountId, ...place }: BudgetPlace,
  { database, now }: RouteContext,
  reply: FastifyReply,
) {
  const by = { accountId, now: now(), by: nameOf(request) };
  const outcome = await deleteBudget(database, by, place);
  if (outcome.kind !== "deleted") throw refuse(outcome);
  return reply.send();
}

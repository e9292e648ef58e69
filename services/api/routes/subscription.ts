import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { interval, renewal, schedule } from "../../../shared/contract/subscription.ts";
import { subscriptionChanges } from "../../../shared/contract/subscription-change.ts";
import { accountId, id } from "../../../shared/contract/wire.ts";
import { decideCancel, decideResume } from "../../../shared/core/changes/cancel-subscription.ts";
import { decideIntervalChange } from "../../../shared/core/changes/change-interval.ts";
import { decidePlanChange } from "../../../shared/core/changes/change-plan.ts";
import { decideAddOn } from "../../../shared/core/changes/set-add-on.ts";
import { decideSubscribe } from "../../../shared/core/changes/subscribe.ts";
import type { Change } from "../../../shared/core/changes/subscription-change.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { listChanges } from "../../../shared/ledger/books/schedules.ts";
import { badRequest } from "../problem.ts";
import { readScheduleView } from "./account-view.ts";
import { makeChange } from "./make-change.ts";
import { accountPath, REFUSALS, type RouteParts, readOfAccount, typed } from "./parts.ts";

const subscribing = z.strictObject({
  plan_id: id("plan_id"),
  interval: interval.default("month"),
  renewal: renewal.default("first_of_month"),
});

const changing = z.strictObject({
  plan_id: id("plan_id").optional(),
  interval: interval.optional(),
  cancelled: z.boolean().optional().meta({ description: "true cancels, false resumes." }),
});

const addOnPath = z.object({ account_id: accountId, add_on_id: id("add_on_id") });
const units = z.strictObject({ quantity: z.number().int().min(0).max(1_000_000) });

export function subscriptionRoutes(app: FastifyInstance, parts: RouteParts): void {
  const tags = ["subscription"];
  const shown = { 200: schedule, ...REFUSALS };
  const show = (accountId: AccountId) => readScheduleView(parts, accountId);

  typed(app).get(
    "/v1/accounts/:account_id/subscription",
    {
      config: { access: "read", byToken: true },
      schema: { summary: "Show the subscription", tags, params: accountPath, response: shown },
    },
    ({ params }) => show(params.account_id),
  );

  typed(app).post(
    "/v1/accounts/:account_id/subscription",
    {
      config: { access: "billing" },
      schema: {
        summary: "Subscribe to a plan",
        description: "The month's credits come at once, and its fee falls due.",
        tags,
        params: accountPath,
        body: subscribing,
        response: { 201: schedule, ...REFUSALS },
      },
    },
    async (request, reply) => {
      const { plan_id, ...asked } = request.body;
      const { account_id } = request.params;
      const subscribing = { planId: plan_id, ...asked };
      await makeChange(parts, request, account_id, (context) =>
        decideSubscribe(subscribing, context),
      );
      return reply.status(201).send(await show(account_id));
    },
  );

  typed(app).patch(
    "/v1/accounts/:account_id/subscription",
    {
      config: { access: "billing" },
      schema: {
        summary: "Change the plan, how often it is paid, cancel or resume: one of them",
        tags,
        params: accountPath,
        body: changing,
        response: shown,
      },
    },
    async (request) => {
      const { account_id } = request.params;
      await makeChange(parts, request, account_id, toChange(request.body));
      return show(account_id);
    },
  );

  typed(app).put(
    "/v1/accounts/:account_id/add-ons/:add_on_id",
    {
      config: { access: "billing" },
      schema: {
        summary: "Set how many units of an add-on an account has; 0 cancels it",
        tags,
        params: addOnPath,
        body: units,
        response: shown,
      },
    },
    async (request) => {
      const { account_id, add_on_id } = request.params;
      const asked = { addOnId: add_on_id, units: request.body.quantity };
      await makeChange(parts, request, account_id, (context) => decideAddOn(asked, context));
      return show(account_id);
    },
  );

  typed(app).get(
    "/v1/accounts/:account_id/subscription/changes",
    {
      config: { access: "read", byToken: true },
      schema: {
        summary: "The history of the subscription: who changed what, and when",
        tags,
        params: accountPath,
        response: { 200: subscriptionChanges, ...REFUSALS },
      },
    },
    ({ params: { account_id } }) =>
      readOfAccount(parts, account_id, async (transaction) => ({
        items: await listChanges(transaction, account_id),
      })),
  );
}

function toChange({ plan_id, interval: often, cancelled }: z.output<typeof changing>): Change {
  const asked: Change[] = [];
  if (plan_id !== undefined) asked.push((context) => decidePlanChange(plan_id, context));
  if (often !== undefined) asked.push((context) => decideIntervalChange(often, context));
  if (cancelled !== undefined) asked.push(cancelled ? decideCancel : decideResume);
  const [change] = asked;
  if (change === undefined || asked.length > 1) {
    throw badRequest("body", "must name one of plan_id, interval and cancelled");
  }
  return change;
}

import { z } from "zod";
import { interval, renewal, schedule } from "../../../shared/contract/subscription.ts";
import { subscriptionChanges } from "../../../shared/contract/subscription-change.ts";
import { accountId, id } from "../../../shared/contract/wire.ts";
import { decideCancel, decideResume } from "../../../shared/core/changes/cancel-subscription.ts";
import { decideIntervalChange } from "../../../shared/core/changes/change-interval.ts";
import { decidePlanChange } from "../../../shared/core/changes/change-plan.ts";
import type { Change } from "../../../shared/core/changes/paying-fees.ts";
import { decideAddOn, MAX_ADD_ON_UNITS } from "../../../shared/core/changes/set-add-on.ts";
import { decideSubscribe } from "../../../shared/core/changes/subscribe.ts";
import { listChanges } from "../../../shared/ledger/books/schedules.ts";
import { badRequest } from "../problem.ts";
import { readScheduleView } from "./account-view.ts";
import { makeChange } from "./make-change.ts";
import { READ, readOfAccount, requestBody, route, WRITE } from "./route.ts";

const newSubscription = requestBody("New subscription", {
  plan_id: id("plan_id"),
  interval: interval.default("month"),
  renewal: renewal.default("first_of_month"),
});

const planChange = requestBody("Subscription update", {
  plan_id: id("plan_id").optional(),
  interval: interval.optional(),
  cancelled: z.boolean().optional().meta({ description: "true cancels, false resumes." }),
});

export const subscriptionRoutes = [
  route(
    {
      ...READ,
      path: "/v1/accounts/:account_id/subscription",
      tag: "subscription",
      summary: "Show the subscription",
      response: { 200: schedule },
    },
    ({ params }, context) => readScheduleView(context, params.account_id),
  ),
  route(
    {
      ...WRITE,
      method: "POST",
      path: "/v1/accounts/:account_id/subscription",
      tag: "subscription",
      summary: "Subscribe to a plan",
      description:
        "The first month's fee falls due; its credits come when it is paid, or immediately, as the plan says.",
      body: newSubscription,
      response: { 201: schedule },
    },
    async (request, context) => {
      const { account_id } = request.params;
      const { plan_id, ...terms } = request.body;
      await makeChange(context, request, account_id, (change) =>
        decideSubscribe({ planId: plan_id, ...terms }, change),
      );
      return readScheduleView(context, account_id);
    },
  ),
  route(
    {
      ...WRITE,
      method: "PATCH",
      path: "/v1/accounts/:account_id/subscription",
      tag: "subscription",
      summary: "Change the plan or the billing interval, cancel, or resume",
      description: "One change per request.",
      body: planChange,
      response: { 200: schedule },
    },
    async (request, context) => {
      const { account_id } = request.params;
      await makeChange(context, request, account_id, toChange(request.body));
      return readScheduleView(context, account_id);
    },
  ),
  route(
    {
      ...WRITE,
      method: "PUT",
      path: "/v1/accounts/:account_id/add-ons/:add_on_id",
      tag: "subscription",
      summary: "Set the quantity of an add-on; 0 cancels it",
      params: z.object({ account_id: accountId, add_on_id: id("add_on_id") }),
      body: requestBody("Add-on quantity", {
        quantity: z.number().int().min(0).max(MAX_ADD_ON_UNITS),
      }),
      response: { 200: schedule },
    },
    async (request, context) => {
      const { account_id, add_on_id } = request.params;
      const addOn = { addOnId: add_on_id, units: request.body.quantity };
      await makeChange(context, request, account_id, (change) => decideAddOn(addOn, change));
      return readScheduleView(context, account_id);
    },
  ),
  route(
    {
      ...READ,
      path: "/v1/accounts/:account_id/subscription/changes",
      tag: "subscription",
      summary: "Show the subscription's history: who changed what, and when",
      response: { 200: subscriptionChanges },
    },
    ({ params: { account_id } }, context) =>
      readOfAccount(context, account_id, async (transaction) => ({
        items: await listChanges(transaction, account_id),
      })),
  ),
];

function toChange({ plan_id, interval, cancelled }: z.output<typeof planChange>): Change {
  const changes: Change[] = [];
  if (plan_id !== undefined) changes.push((context) => decidePlanChange(plan_id, context));
  if (interval !== undefined) changes.push((context) => decideIntervalChange(interval, context));
  if (cancelled !== undefined) changes.push(cancelled ? decideCancel : decideResume);
  const [change] = changes;
  if (change === undefined || changes.length > 1) {
    throw badRequest("body", "must name one of plan_id, interval and cancelled");
  }
  return change;
}

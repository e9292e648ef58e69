import { z } from "zod";
import { eventIds } from "../../../shared/client/event-ids.ts";
import { autoTopUp, toAutoTopUp } from "../../../shared/contract/auto-top-up.ts";
import { CSV_PAGE, csvFileName, csvText, pagesOf } from "../../../shared/contract/csv-export.ts";
import { PAYMENTS_CSV } from "../../../shared/contract/csv-tables.ts";
import { listOf, page } from "../../../shared/contract/page.ts";
import {
  payment,
  paymentOfAccount,
  paymentPage,
  toPayment,
  toPaymentOfAccount,
} from "../../../shared/contract/payment.ts";
import { money } from "../../../shared/contract/wire.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { REFERENCE } from "../../../shared/core/line/reference.ts";
import type { Refusal } from "../../../shared/core/line/refusal.ts";
import type { TopUpSettings } from "../../../shared/core/payments/auto-top-up.ts";
import type { OwnCeilings } from "../../../shared/core/payments/ceilings.ts";
import { readAutoTopUpState } from "../../../shared/ledger/payments/auto-top-up-state.ts";
import { listPayments, readPayment } from "../../../shared/ledger/payments/payments.ts";
import { setAutoTopUp } from "../../../shared/ledger/payments/set-auto-top-up.ts";
import { setCeilings } from "../../../shared/ledger/payments/set-ceilings.ts";
import { topUpByHand } from "../../../shared/ledger/payments/top-up-account.ts";
import { nameOf } from "../access/caller.ts";
import { keyHeader } from "../idempotency.ts";
import { badRequest, refuse } from "../problem.ts";
import { READ, type RouteContext, readOfAccount, requestBody, route, WRITE } from "./route.ts";

const settings = requestBody("Auto top-up update", {
  enabled: z.boolean().optional(),
  amount: money.nullable().optional().meta({ description: "null: the default." }),
  limit_per_day: money.nullable().optional(),
  limit_per_month: money.nullable().optional(),
  keep_after_subscription: z.boolean().optional().meta({
    description: "true: it goes on when the subscription ends.",
  }),
});

const ceilings = requestBody("Top-up ceilings update", {
  amount: money.nullable().optional().meta({ description: "Of one top-up; null: the default." }),
  limit_per_day: money.nullable().optional(),
  limit_per_month: money.nullable().optional(),
});

const newKey = eventIds();

export const topUpRoutes = [
  listPaymentsRoute("top-ups", "top_up", "List top-ups, newest first"),
  listPaymentsRoute("payments", null, "List payments (top-ups and fees), newest first"),
  route(
    {
      ...WRITE,
      method: "POST",
      path: "/v1/accounts/:account_id/top-ups",
      byToken: true,
      tag: "top-ups",
      summary: "Top up an account by hand",
      description:
        "The top-up is pending until the card network answers. The Idempotency-Key identifies it: the same request again charges nothing and answers 200. After too many attempts to pay within an hour, also declined ones, another is answered 429 (`too_many_attempts`) with Retry-After.",
      headers: keyHeader,
      body: requestBody("New top-up", { amount: money }),
      response: { 200: payment, 201: payment },
    },
    async (request, { database, now, attemptsPerHour }, reply) => {
      const { account_id } = request.params;
      const { amount } = request.body;
      const { headers } = request;
      const key = headers["idempotency-key"] ?? newKey(now());
      const paymentId = REFERENCE.manualTopUp.write({ key });
      const at = { accountId: account_id, now: now(), by: nameOf(request) };
      const outcome = await topUpByHand(database, at, { paymentId, amount }, attemptsPerHour);
      switch (outcome.kind) {
        case "pending":
        case "already_exists": {
          const made = await readPayment(database, { accountId: account_id, paymentId });
          if (made === null) throw new Error(`top-up ${paymentId} of ${account_id} is missing`);
          if (outcome.kind === "pending") void reply.status(201);
          return toPayment(made);
        }
        default:
          throw refuse(outcome, "amount");
      }
    },
  ),
  route(
    {
      ...READ,
      path: "/v1/accounts/:account_id/auto-top-up",
      tag: "top-ups",
      summary: "Show the auto top-up settings",
      response: { 200: autoTopUp },
    },
    ({ params: { account_id } }, context) => showAutoTopUp(context, account_id),
  ),
  route(
    {
      ...WRITE,
      method: "PATCH",
      path: "/v1/accounts/:account_id/auto-top-up",
      byToken: true,
      tag: "top-ups",
      summary: "Change the auto top-up settings, from the next low balance on",
      description:
        "If it was paused or stopped, it starts again; after too many attempts to pay within an hour that is answered 429 (`too_many_attempts`) with Retry-After.",
      body: settings,
      response: { 200: autoTopUp },
    },
    async (request, context) => {
      const { account_id } = request.params;
      const by = { accountId: account_id, now: context.now(), by: nameOf(request) };
      const { database, attemptsPerHour } = context;
      const outcome = await setAutoTopUp(database, by, toSettings(request.body), attemptsPerHour);
      if (outcome.kind !== "set") throw refuse(outcome, fieldOf(outcome));
      return showAutoTopUp(context, account_id);
    },
  ),
  route(
    {
      ...WRITE,
      method: "PATCH",
      path: "/v1/accounts/:account_id/top-up-ceilings",
      tag: "top-ups",
      summary: "Set the most that an account may be charged for top-ups",
      description:
        "The seller's ceilings: of one top-up, a day and a month, automatic or by hand. They cut what the customer has set above them, from the next top-up on. No dashboard token can change them.",
      body: ceilings,
      response: { 200: autoTopUp },
    },
    async (request, context) => {
      const { account_id } = request.params;
      const by = { accountId: account_id, now: context.now(), by: nameOf(request) };
      const outcome = await setCeilings(context.database, by, toCeilings(request.body));
      if (outcome.kind !== "set") throw refuse(outcome);
      return showAutoTopUp(context, account_id);
    },
  ),
];

function showAutoTopUp(context: RouteContext, accountId: AccountId) {
  return readOfAccount(context, accountId, async (transaction, details) =>
    toAutoTopUp(await readAutoTopUpState(transaction, details.account, context.now()), details),
  );
}

/** The settings that a body names. Throws a Problem if it names none. */
function toSettings(body: z.output<typeof settings>): Partial<TopUpSettings> {
  refuseEmpty(body);
  const { enabled, amount, limit_per_day, limit_per_month, keep_after_subscription } = body;
  return {
    ...(enabled === undefined ? {} : { enabled }),
    ...(amount === undefined ? {} : { amount }),
    ...(limit_per_day === undefined ? {} : { limitPerDay: limit_per_day }),
    ...(limit_per_month === undefined ? {} : { limitPerMonth: limit_per_month }),
    ...(keep_after_subscription === undefined
      ? {}
      : { keepAfterSubscription: keep_after_subscription }),
  };
}

/** The ceilings that a body names. Throws a Problem if it names none. */
function toCeilings(body: z.output<typeof ceilings>): Partial<OwnCeilings> {
  refuseEmpty(body);
  const { amount, limit_per_day, limit_per_month } = body;
  return {
    ...(amount === undefined ? {} : { amount }),
    ...(limit_per_day === undefined ? {} : { perDay: limit_per_day }),
    ...(limit_per_month === undefined ? {} : { perMonth: limit_per_month }),
  };
}

function refuseEmpty(body: object): void {
  if (Object.keys(body).length === 0) throw badRequest("body", "names nothing to set");
}

/** The field that is above its ceiling. */
function fieldOf(refusal: Refusal): string | undefined {
  if (refusal.kind !== "above_ceiling") return undefined;
  return refusal.per === "top_up" ? "amount" : `limit_per_${refusal.per}`;
}

function listPaymentsRoute(name: string, kind: "top_up" | null, summary: string) {
  return route(
    {
      ...READ,
      path: `/v1/accounts/:account_id/${name}`,
      tag: "top-ups",
      summary,
      query: page,
      response: { 200: listOf(paymentOfAccount) },
    },
    ({ params: { account_id }, query }, context) =>
      readOfAccount(context, account_id, (transaction) =>
        paymentPage(query, kind, (range) => listPayments(transaction, account_id, range, kind)),
      ),
    ({ params: { account_id } }, context) => {
      const pages = pagesOf<ReturnType<typeof toPaymentOfAccount>>((last) =>
        readOfAccount(context, account_id, async (transaction) => {
          const made = await listPayments(transaction, account_id, CSV_PAGE, kind, last);
          return made.map(toPaymentOfAccount);
        }),
      );
      const file = csvFileName(account_id, name, undefined, context.now());
      return { name: file, text: (view) => csvText(PAYMENTS_CSV, pages, view) };
    },
  );
}

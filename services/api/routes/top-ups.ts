import { z } from "zod";
import { eventIds } from "../../../shared/client/event-ids.ts";
import { autoTopUp, toAutoTopUp } from "../../../shared/contract/auto-top-up.ts";
import { listOf, page } from "../../../shared/contract/page.ts";
import { payment, paymentPage, toPayment } from "../../../shared/contract/payment.ts";
import { money } from "../../../shared/contract/wire.ts";
import { REFERENCE } from "../../../shared/core/line/reference.ts";
import { readAutoTopUp } from "../../../shared/ledger/books/auto-top-ups.ts";
import { listPayments, readPayment } from "../../../shared/ledger/payments/payments.ts";
import { setAutoTopUp } from "../../../shared/ledger/payments/set-auto-top-up.ts";
import { topUpByHand } from "../../../shared/ledger/payments/top-up-account.ts";
import { nameOf } from "../access/caller.ts";
import { badRequest, refuse } from "../problem.ts";
import { READ, readOfAccount, route, WRITE } from "./route.ts";

const settings = z.strictObject({
  enabled: z.boolean().optional(),
  amount: money.nullable().optional().meta({ description: "null: the default." }),
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
        "The top-up is pending until the card network answers. The Idempotency-Key identifies it: the same request again charges nothing.",
      headers: z.object({ "idempotency-key": z.string().max(200).optional() }),
      body: z.strictObject({ amount: money }),
      response: { 201: payment },
    },
    async ({ params: { account_id }, body: { amount }, headers }, { database, now }) => {
      const key = headers["idempotency-key"] ?? newKey(now());
      const paymentId = REFERENCE.manualTopUp.write({ key });
      const at = { accountId: account_id, now: now() };
      const outcome = await topUpByHand(database, at, { paymentId, amount });
      switch (outcome.kind) {
        case "pending":
        case "already_exists": {
          const made = await readPayment(database, { accountId: account_id, paymentId });
          if (made === null) throw new Error(`top-up ${paymentId} of ${account_id} is missing`);
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
    ({ params: { account_id } }, context) =>
      readOfAccount(context, account_id, async (transaction, details) =>
        toAutoTopUp(await readAutoTopUp(transaction, account_id), details),
      ),
  ),
  route(
    {
      ...WRITE,
      method: "PATCH",
      path: "/v1/accounts/:account_id/auto-top-up",
      byToken: true,
      tag: "top-ups",
      summary: "Change the auto top-up settings, from the next low balance on",
      body: settings,
      response: { 200: autoTopUp },
    },
    async (request, context) => {
      const { account_id } = request.params;
      const { enabled, amount, limit_per_day, limit_per_month } = request.body;
      const details = await readOfAccount(context, account_id, async (_, read) => read);
      const changes = {
        ...(enabled === undefined ? {} : { enabled }),
        ...(amount === undefined ? {} : { amount }),
        ...(limit_per_day === undefined ? {} : { limitPerDay: limit_per_day }),
        ...(limit_per_month === undefined ? {} : { limitPerMonth: limit_per_month }),
      };
      if (Object.keys(changes).length === 0) throw badRequest("body", "names nothing to set");
      const by = { accountId: account_id, now: context.now(), by: nameOf(request) };
      const outcome = await setAutoTopUp(context.database, by, changes);
      if (outcome.kind !== "set") throw refuse(outcome);
      return toAutoTopUp(outcome.auto, details);
    },
  ),
];

function listPaymentsRoute(name: string, kind: "top_up" | null, summary: string) {
  return route(
    {
      ...READ,
      path: `/v1/accounts/:account_id/${name}`,
      tag: "top-ups",
      summary,
      query: page,
      response: { 200: listOf(payment) },
    },
    ({ params: { account_id }, query }, context) =>
      readOfAccount(context, account_id, (transaction) =>
        paymentPage(query, kind, (range) => listPayments(transaction, account_id, range, kind)),
      ),
  );
}

import { z } from "zod";
import { eventIds } from "../../../shared/client/event-ids.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { refund, toRefund } from "../../../shared/contract/refund.ts";
import { accountId, id, money } from "../../../shared/contract/wire.ts";
import { readPayment } from "../../../shared/ledger/payments/payments.ts";
import { listRefunds, requestRefund } from "../../../shared/ledger/payments/refunds.ts";
import { nameOf } from "../access/caller.ts";
import { keyHeader } from "../idempotency.ts";
import { refuse } from "../problem.ts";
import { readOfAccount, requestBody, route } from "./route.ts";

const REFUNDS = {
  path: "/v1/accounts/:account_id/payments/:payment_id/refunds",
  access: "billing",
  tag: "top-ups",
  params: z.object({ account_id: accountId, payment_id: id("payment_id") }),
} as const;

const newKey = eventIds();

export const refundRoutes = [
  route(
    {
      ...REFUNDS,
      method: "GET",
      summary: "List the refunds and chargebacks of a payment, oldest first",
      response: { 200: noun({ items: z.array(refund) }).meta({ title: "Refunds" }) },
    },
    ({ params: { account_id, payment_id: paymentId } }, context) =>
      readOfAccount(context, account_id, async (transaction) => {
        const payment = { accountId: account_id, paymentId };
        if ((await readPayment(transaction, payment)) === null) {
          throw refuse({ kind: "unknown_payment", paymentId });
        }
        return { items: (await listRefunds(transaction, payment)).map(toRefund) };
      }),
  ),
  route(
    {
      ...REFUNDS,
      method: "POST",
      summary: "Refund a payment or a part of it",
      description:
        "The refund is pending until the payment gateway answers. What is left of a top-up's credits is withdrawn, and auto top-up stops. The Idempotency-Key identifies the refund among those of its payment: the same request again refunds nothing more and answers 200.",
      headers: keyHeader,
      body: requestBody("New refund", {
        amount: money.nullable().optional().meta({
          description: "null or left out: all that is not refunded yet.",
        }),
      }),
      response: { 200: refund, 201: refund },
    },
    async (request, { database, now }, reply) => {
      const { account_id, payment_id: paymentId } = request.params;
      const refundId = request.headers["idempotency-key"] ?? newKey(now());
      const payment = { accountId: account_id, paymentId };
      const by = { by: nameOf(request), now: now() };
      const { amount = null } = request.body;
      const outcome = await requestRefund(database, { ...payment, ...by, refundId, amount });
      if (outcome.kind !== "pending" && outcome.kind !== "already_exists") throw refuse(outcome);
      const refunds = await listRefunds(database, payment);
      const made = refunds.find((each) => each.refundId === refundId);
      if (made === undefined) throw new Error(`refund ${refundId} of ${paymentId} is missing`);
      if (outcome.kind === "pending") void reply.status(201);
      return toRefund(made);
    },
  ),
];

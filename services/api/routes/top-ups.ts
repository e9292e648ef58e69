import type { FastifyInstance } from "fastify";
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
import { nameOf } from "../access/authenticate.ts";
import { badRequest, refuse } from "../problem.ts";
import { accountPath, REFUSALS, type RouteParts, readOfAccount, typed } from "./parts.ts";

const asking = z.strictObject({ amount: money });

const settings = z.strictObject({
  enabled: z.boolean().optional(),
  amount: money.nullable().optional().meta({ description: "null: the default." }),
  limit_per_day: money.nullable().optional(),
  limit_per_month: money.nullable().optional(),
});

export function topUpRoutes(app: FastifyInstance, parts: RouteParts): void {
  const { database, now } = parts;
  const tags = ["top-ups"];
  const newKey = eventIds();

  for (const { path, kind, summary } of [
    { path: "top-ups", kind: "top_up", summary: "List top-ups, the newest first" },
    { path: "payments", kind: null, summary: "List what was charged: top-ups and fees" },
  ] as const) {
    typed(app).get(
      `/v1/accounts/:account_id/${path}`,
      {
        config: { access: "read", byToken: true },
        schema: {
          summary,
          tags,
          params: accountPath,
          querystring: page,
          response: { 200: listOf(payment), ...REFUSALS },
        },
      },
      ({ params: { account_id }, query }) =>
        readOfAccount(parts, account_id, (transaction) =>
          paymentPage(query, kind, (count) => listPayments(transaction, account_id, count, kind)),
        ),
    );
  }

  typed(app).post(
    "/v1/accounts/:account_id/top-ups",
    {
      config: { access: "billing", byToken: true },
      schema: {
        summary: "Top an account up by hand",
        description:
          "It is pending until the card network has answered. The Idempotency-Key is the top-up's identity: the same again charges nothing.",
        tags,
        params: accountPath,
        headers: z.object({ "idempotency-key": z.string().max(200).optional() }),
        body: asking,
        response: { 201: payment, ...REFUSALS },
      },
    },
    async ({ params: { account_id }, body: { amount }, headers }, reply) => {
      const key = headers["idempotency-key"] ?? newKey(now());
      const paymentId = REFERENCE.manualTopUp.write({ key });
      const at = { accountId: account_id, now: now() };
      const outcome = await topUpByHand(database, at, { paymentId, amount });
      switch (outcome.kind) {
        case "pending":
        case "already_exists": {
          const made = await readPayment(database, { accountId: account_id, paymentId });
          if (made === null) throw new Error(`top-up ${paymentId} of ${account_id} is gone`);
          return reply.status(201).send(toPayment(made));
        }
        default:
          throw refuse(outcome, "amount");
      }
    },
  );

  typed(app).get(
    "/v1/accounts/:account_id/auto-top-up",
    {
      config: { access: "read", byToken: true },
      schema: {
        summary: "Show what is set of auto top-up",
        tags,
        params: accountPath,
        response: { 200: autoTopUp, ...REFUSALS },
      },
    },
    ({ params: { account_id } }) =>
      readOfAccount(parts, account_id, async (transaction, { currency }) =>
        toAutoTopUp(await readAutoTopUp(transaction, account_id), currency),
      ),
  );

  typed(app).patch(
    "/v1/accounts/:account_id/auto-top-up",
    {
      config: { access: "billing", byToken: true },
      schema: {
        summary: "Change auto top-up; it holds from the next low balance on",
        tags,
        params: accountPath,
        body: settings,
        response: { 200: autoTopUp, ...REFUSALS },
      },
    },
    async (request) => {
      const { account_id } = request.params;
      const { enabled, amount, limit_per_day, limit_per_month } = request.body;
      const currency = await readOfAccount(
        parts,
        account_id,
        async (_, details) => details.currency,
      );
      const asked = {
        ...(enabled === undefined ? {} : { enabled }),
        ...(amount === undefined ? {} : { amount }),
        ...(limit_per_day === undefined ? {} : { limitPerDay: limit_per_day }),
        ...(limit_per_month === undefined ? {} : { limitPerMonth: limit_per_month }),
      };
      if (Object.keys(asked).length === 0) throw badRequest("body", "names nothing to set");
      const at = { accountId: account_id, now: now(), by: nameOf(request) };
      const outcome = await setAutoTopUp(database, at, asked);
      if (outcome.kind === "set") return toAutoTopUp(outcome.auto, currency);
      throw refuse(outcome);
    },
  );
}

import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { Behaviour } from "./cards.ts";
import { logAsJson } from "./log-json.ts";
import { type Payment, paymentJson, takenBackJson } from "./payment.ts";
import { PAGE } from "./payments.ts";
import {
  readKey,
  readLogQuery,
  readMadeBetween,
  readPaymentRequest,
  readRefundAmount,
  readScript,
} from "./requests.ts";
import { sendReturnWebhook } from "./send-webhook.ts";
import type { Store } from "./store.ts";
import { chargeBack, refund, type TookBack } from "./take-back.ts";
import type { PaymentTaker } from "./take-payments.ts";
import type { Webhooks } from "./webhooks.ts";

interface RouteContext {
  readonly store: Store;
  readonly webhooks: Webhooks;
  readonly taker: PaymentTaker;
}

type ById = { Params: { id: string } };
type ByMethod = { Params: { method: string } };

const CONFLICT = { error: "this Idempotency-Key was used for another request" };

export function addRoutes(app: FastifyInstance, { store, webhooks, taker }: RouteContext): void {
  app.post("/v1/payments", async ({ headers, body }, reply) => {
    const key = readKey(headers["idempotency-key"]);
    const taken = await taker.take(readPaymentRequest(key, body));
    if (taken.kind === "conflict") return reply.code(409).send(CONFLICT);
    if (taken.kind === "failed") return fail(reply);
    return answerPayment(reply, taken.payment, taken.answer);
  });

  app.get("/v1/payments", async ({ query }, reply) => {
    const log = logAsJson(store, readLogQuery(query));
    return reply.type("application/json").send(Readable.from(log));
  });

  app.get("/v1/charges", async ({ query }) => {
    const made = store.payments.made(readMadeBetween(query));
    return { payments: made.map(paymentJson), has_more: made.length === PAGE };
  });

  app.get<ById>("/v1/payments/:id", async ({ params }, reply) => {
    const payment = store.payments.byId(params.id);
    return payment === undefined ? notFound(reply) : paymentJson(payment);
  });

  app.post<ById>("/v1/payments/:id/refunds", async ({ params, headers, body }, reply) => {
    const key = readKey(headers["idempotency-key"]);
    const amount = readRefundAmount(body);
    const payment = store.payments.byId(params.id);
    if (payment === undefined) return notFound(reply);
    return answerTakenBack(reply, payment, refund(store, payment, { key, amount }));
  });

  app.get<ById>("/v1/payments/:id/refunds", async ({ params }, reply) => {
    if (store.payments.byId(params.id) === undefined) return notFound(reply);
    return { taken_back: store.takenBack.of(params.id).map(takenBackJson) };
  });

  app.post<ById>("/v1/payments/:id/chargeback", async ({ params }, reply) => {
    const payment = store.payments.byId(params.id);
    if (payment === undefined) return notFound(reply);
    return answerTakenBack(reply, payment, chargeBack(store, payment));
  });

  app.put<ByMethod>("/v1/cards/:method", async ({ params, body }) => {
    const script = readScript(params.method, body);
    store.scripts.set(params.method, script);
    return { method: params.method, script };
  });

  function answerTakenBack(reply: FastifyReply, payment: Payment, took: TookBack): FastifyReply {
    if (took.kind === "conflict") return reply.code(409).send(CONFLICT);
    if (took.kind === "refused") return reply.code(422).send({ error: took.reason });
    if (!took.isRepeat) sendReturnWebhook(webhooks, payment, took.takenBack, Date.now());
    return reply.send(takenBackJson(took.takenBack));
  }
}

/** Answers or misbehaves; "never" leaves the connection open until either side closes it. */
function answerPayment(
  reply: FastifyReply,
  payment: Payment,
  answer: Behaviour["answer"],
): FastifyReply {
  switch (answer) {
    case "immediately":
    case "slowly":
      return reply.code(payment.status === "declined" ? 402 : 200).send(paymentJson(payment));
    case "500":
      return fail(reply);
    case "broken off":
      reply.raw.destroy();
      return reply.hijack();
    case "never":
      return reply.hijack();
  }
}

function fail(reply: FastifyReply): FastifyReply {
  return reply.code(500).send({ error: "the gateway failed, as this card demands" });
}

function notFound(reply: FastifyReply): FastifyReply {
  return reply.code(404).send({ error: "no such payment" });
}

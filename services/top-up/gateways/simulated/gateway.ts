import { z } from "zod";
import type { DeclineReason } from "../../../../shared/core/payments/decline.ts";
import type {
  ChargeRequest,
  ChargeState,
  ListedCharge,
  PaymentGateway,
  RefundRefused,
  RefundRequest,
  TakenBack,
} from "../payment-gateway.ts";
import { caller, readAnswer } from "./call.ts";

const TIME_LIMIT_MS = 10_000;
const LIST_EVERY_MS = 5_000;
const LISTING = "the listing of charges";

export interface SimulatedGatewayOptions {
  /** Where infra/simulated-gateway listens. */
  readonly url: string;
  /** The secret that signs its webhooks. */
  readonly webhookSecret: string;
  /** For a whole call; 10,000 by default. */
  readonly timeLimitMs?: number;
}

/**
 * The gateway of infra/simulated-gateway. A call that it refuses as invalid (400, 404, 409) throws a
 * plain Error: nothing was done, and the bug is here.
 */
export function openSimulatedGateway(options: SimulatedGatewayOptions): PaymentGateway {
  const call = caller(options.url, options.timeLimitMs ?? TIME_LIMIT_MS);
  return {
    name: "simulated",
    signatureHeader: "stripe-signature",
    listEveryMs: LIST_EVERY_MS,

    async charge(request) {
      const what = `the charge of ${nameOf(request)}`;
      const { answer } = await call(what, {
        method: "POST",
        path: "/v1/payments",
        key: request.key,
        body: {
          account_id: request.accountId,
          payment_id: request.paymentId,
          amount: request.amount.toString(),
          currency: request.currency,
          customer: request.customer,
          method: request.method,
        },
        expect: [200, 402],
      });
      return chargeState(readAnswer(payment, answer, what));
    },

    async find(request) {
      const what = `the query for ${nameOf(request)}`;
      const path = `/v1/payments?key=${encodeURIComponent(request.key)}`;
      const { answer } = await call(what, { method: "GET", path, expect: [200] });
      const states = readAnswer(foundPayments, answer, what).payments.map(chargeState);
      // There is more than one only if a key was sent again after the gateway dropped it.
      const settled = (kind: ChargeState["kind"]) => states.find((state) => state.kind === kind);
      return settled("succeeded") ?? settled("processing") ?? settled("declined") ?? null;
    },

    async stateOf(gatewayPayment) {
      const what = `the query for gateway payment ${gatewayPayment}`;
      const path = `/v1/payments/${encodeURIComponent(gatewayPayment)}`;
      const { answer } = await call(what, { method: "GET", path, expect: [200] });
      return chargeState(readAnswer(payment, answer, what));
    },

    async *listCharges(since, until) {
      for (let after: string | undefined = ""; after !== undefined; ) {
        const query = new URLSearchParams({ since: `${since}`, until: `${until}`, after });
        const path = `/v1/charges?${query}`;
        const { answer } = await call(LISTING, { method: "GET", path, expect: [200] });
        const page = readAnswer(charges, answer, LISTING);
        yield* page.payments.map(toListed);
        after = page.has_more ? page.payments.at(-1)?.id : undefined;
      }
    },

    async takenBack(gatewayPayment) {
      const what = `the query for refunds of gateway payment ${gatewayPayment}`;
      const path = refundsOf(gatewayPayment);
      const { answer } = await call(what, { method: "GET", path, expect: [200] });
      return readAnswer(allTakenBack, answer, what).taken_back;
    },

    async refund(request: RefundRequest): Promise<TakenBack | RefundRefused> {
      const { key, gatewayPayment, amount } = request;
      const what = `the refund of ${amount} of gateway payment ${gatewayPayment}`;
      const { status, answer } = await call(what, {
        method: "POST",
        path: refundsOf(gatewayPayment),
        key,
        body: { amount: amount.toString() },
        expect: [200, 422],
      });
      if (status === 422)
        return { kind: "refused", reason: readAnswer(refusal, answer, what).error };
      return readAnswer(takenBack, answer, what);
    },

    /** Its webhooks are signed like Stripe's. */
    async readWebhook(rawBody, signature) {
      const { readSignedWebhook } = await import("../stripe/read-webhook.ts");
      return readSignedWebhook(rawBody, signature, options.webhookSecret);
    },
  };
}

const amount = z
  .string()
  .regex(/^[1-9]\d{0,18}$/)
  .transform((digits) => BigInt(digits));

const terms = {
  ...{ amount, currency: z.string() },
  created_at: z.iso.datetime().transform(Date.parse),
};
const payment = z.discriminatedUnion("status", [
  z.object({ id: z.string(), status: z.enum(["succeeded", "processing"]), ...terms }),
  z.object({
    id: z.string(),
    status: z.literal("declined"),
    decline: z.object({ kind: z.enum(["soft", "hard", "needs_customer"]), code: z.string() }),
  }),
]);
const charges = z.object({
  payments: z.array(
    z.object({
      ...{ id: z.string(), key: z.string(), account_id: z.string(), payment_id: z.string() },
      ...terms,
    }),
  ),
  has_more: z.boolean(),
});
const foundPayments = z.object({ payments: z.array(payment) });

const takenBack = z
  .object({
    id: z.string(),
    key: z.string().nullable(),
    kind: z.enum(["refund", "chargeback"]),
    amount,
  })
  .transform(({ id: gatewayId, ...rest }) => ({ gatewayId, ...rest }));
const allTakenBack = z.object({ taken_back: z.array(takenBack) });

const refusal = z.object({ error: z.string() });

function chargeState(of: z.infer<typeof payment>): ChargeState {
  if (of.status !== "declined") {
    const { id: gatewayPayment, status: kind, amount, currency, created_at: createdAt } = of;
    return { kind, gatewayPayment, made: { amount, currency, createdAt } };
  }
  const { kind, code } = of.decline;
  const decline = { kind, code, reason: REASONS.get(code) ?? null };
  return { kind: "declined", gatewayPayment: of.id, decline };
}

/** It uses Stripe's codes. */
const REASONS: ReadonlyMap<string, DeclineReason> = new Map([
  ["expired_card", "expired"],
  ["insufficient_funds", "insufficient_funds"],
  ["resource_missing", "card_removed"],
]);

function toListed(of: z.infer<typeof charges>["payments"][number]): ListedCharge {
  const { id: gatewayPayment, key, amount, currency, created_at: createdAt } = of;
  const { account_id: accountId, payment_id: paymentId } = of;
  return { accountId, paymentId, key, gatewayPayment, amount, currency, createdAt };
}

function nameOf({ paymentId, accountId }: ChargeRequest): string {
  return `payment ${paymentId} of account ${accountId}`;
}

function refundsOf(gatewayPayment: string): string {
  return `/v1/payments/${encodeURIComponent(gatewayPayment)}/refunds`;
}

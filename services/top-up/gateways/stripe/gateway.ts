import http from "node:http";
import https from "node:https";
import Stripe from "stripe";
import { z } from "zod";
import type {
  ChargeMade,
  ChargeRequest,
  ChargeState,
  ListedCharge,
  PaymentGateway,
  PaymentNamed,
  RefundRefused,
  RefundRequest,
  TakenBack,
} from "../payment-gateway.ts";
import { fromStripeAmount, toStripeAmount } from "./amount.ts";
import { chargeState, chargeStateAt, declined, declinedBy } from "./charge-state.ts";
import { declineAs } from "./declines.ts";
import { failureOf, isMissing, within } from "./failure.ts";
import { listWhole, PAGE } from "./list.ts";
import { readSignedWebhook } from "./read-webhook.ts";
import { takenByDispute, takenByRefund } from "./taken-back.ts";

export interface StripeOptions {
  readonly secretKey: string;
  /** The secret of the webhook endpoint at Stripe. */
  readonly webhookSecret: string;
  /** The origin of another server with Stripe's API; default: Stripe's own. */
  readonly url?: string;
  /** For a call with all its requests; default: 10,000. */
  readonly timeoutMs?: number;
}

const STRIPE = "https://api.stripe.com";
/** An idle connection is closed: firewalls forget it without a word, and a payment would wait on it in vain. */
const IDLE_MS = 5_000;
/** Stripe limits the number of reads per payment (https://docs.stripe.com/rate-limits). */
const LIST_EVERY_MS = 10 * 60 * 1000;
/** Clocks differ, so a payment may be this much older at Stripe than in the books. */
const CLOCKS_APART_MS = 60 * 60 * 1000;

/**
 * Charges through Stripe. It keeps no state: idempotency keys make each charge and refund happen once.
 * Stripe keeps keys for at least 24 hours: ask (`find`, `takenBack`) before sending an older request
 * again.
 */
export function openStripeGateway(options: StripeOptions): PaymentGateway {
  const { secretKey, webhookSecret, url, timeoutMs = 10_000 } = options;
  const stripe = new Stripe(secretKey, {
    // The caller decides when to retry. The client still repeats a request once if its connection was
    // closed; the key makes that harmless.
    maxNetworkRetries: 0,
    timeout: timeoutMs,
    telemetry: false,
    ...addressOf(url),
  });

  async function answered<T>(what: string, call: Promise<T>): Promise<T> {
    return await within(timeoutMs, what, call).catch((error: unknown) => {
      throw failureOf(error, what);
    });
  }

  return {
    name: "stripe",
    signatureHeader: "stripe-signature",
    listEveryMs: LIST_EVERY_MS,
    charge: (request) => answered(`charging payment ${request.paymentId}`, charge(stripe, request)),
    find: (request) =>
      answered(`looking for payment ${request.paymentId}`, find(stripe, request, Date.now())),
    stateOf: (gatewayPayment) =>
      answered(`looking up ${gatewayPayment}`, stateOf(stripe, gatewayPayment, Date.now())),
    async *listCharges(since, until) {
      const created = { gte: Math.floor(since / 1000), lt: Math.ceil(until / 1000) };
      const list = stripe.paymentIntents.list({ created, limit: PAGE });
      const intents = list[Symbol.asyncIterator]();
      for (;;) {
        const { done, value } = await answered("listing the charges", intents.next());
        if (done === true) return;
        const charge = listedCharge(value, Date.now());
        if (charge !== null) yield charge;
      }
    },
    takenBack: (gatewayPayment) =>
      answered(`listing refunds of ${gatewayPayment}`, takenBack(stripe, gatewayPayment)),
    refund: (request) => answered(`refunding ${request.gatewayPayment}`, refund(stripe, request)),
    async readWebhook(rawBody, signature) {
      const named = readSignedWebhook(rawBody, signature, webhookSecret);
      const intent = named === null ? intentIn(rawBody) : null;
      if (intent === null) return named;
      return await answered(`looking up payment ${intent}`, paymentOf(stripe, intent));
    },
  };
}

async function charge(stripe: Stripe, request: ChargeRequest): Promise<ChargeState> {
  const amount = toStripeAmount(request.amount, request.currency);
  if (amount === null) return declined(null, declineAs("hard", "amount_not_representable"));
  const { accountId: account_id, paymentId: payment_id, key } = request;
  try {
    const intent = await stripe.paymentIntents.create(
      {
        amount,
        currency: request.currency.toLowerCase(),
        customer: request.customer,
        payment_method: request.method,
        off_session: true,
        confirm: true,
        // No customer is present to redirect; without this, Stripe requires a return URL.
        automatic_payment_methods: { enabled: true, allow_redirects: "never" },
        metadata: { account_id, payment_id, key },
      },
      { idempotencyKey: key },
    );
    return withTerms(chargeState(intent), intent);
  } catch (error) {
    const state = declinedBy(error);
    if (state === null) throw error;
    return state;
  }
}

function withTerms(state: ChargeState, intent: Stripe.PaymentIntent): ChargeState {
  return state.kind === "declined" ? state : { ...state, made: termsOf(intent) };
}

function termsOf(intent: Stripe.PaymentIntent): ChargeMade {
  const currency = intent.currency.toUpperCase();
  const amount = fromStripeAmount(intent.amount, currency);
  return { amount, currency, createdAt: intent.created * 1000 };
}

/** A charge that succeeded or is in progress at `now`, its call included; null otherwise, or if it is not ours. */
function listedCharge(intent: Stripe.PaymentIntent, now: number): ListedCharge | null {
  const { account_id: accountId, payment_id: paymentId, key } = intent.metadata;
  if (!accountId || !paymentId || !key) return null;
  if (chargeStateAt(intent, now).kind === "declined") return null;
  return { accountId, paymentId, key, gatewayPayment: intent.id, ...termsOf(intent) };
}

/** Lists the customer's intents, since Stripe's search lags behind. */
async function find(
  stripe: Stripe,
  request: ChargeRequest,
  now: number,
): Promise<ChargeState | null> {
  const { customer, createdAt, key } = request;
  const since = Math.floor((createdAt - CLOCKS_APART_MS) / 1000);
  try {
    const intents = await listWhole(
      stripe.paymentIntents.list({ customer, created: { gte: since }, limit: PAGE }),
    );
    const states = intents
      .filter(({ metadata }) => metadata["key"] === key)
      .map((intent) => withTerms(chargeStateAt(intent, now), intent));
    // There is more than one only if a key was sent again after Stripe dropped it.
    const settled = (kind: ChargeState["kind"]) => states.find((state) => state.kind === kind);
    return settled("succeeded") ?? settled("processing") ?? settled("declined") ?? null;
  } catch (error) {
    if (isMissing(error, "customer")) return null;
    throw error;
  }
}

async function stateOf(stripe: Stripe, payment: string, now: number): Promise<ChargeState> {
  return chargeStateAt(await stripe.paymentIntents.retrieve(payment), now);
}

async function takenBack(stripe: Stripe, payment: string): Promise<readonly TakenBack[]> {
  const query = { payment_intent: payment, limit: PAGE };
  const refunds = await listWhole(stripe.refunds.list(query));
  const disputes = await listWhole(stripe.disputes.list(query));
  return [...refunds.map(takenByRefund), ...disputes.map(takenByDispute)].filter(
    (taken) => taken !== null,
  );
}

async function refund(
  stripe: Stripe,
  { key, gatewayPayment, amount }: RefundRequest,
): Promise<TakenBack | RefundRefused> {
  try {
    const { currency } = await stripe.paymentIntents.retrieve(gatewayPayment);
    const inCurrency = currency.toUpperCase();
    const sent = toStripeAmount(amount, inCurrency);
    if (sent === null)
      return refused(`Stripe cannot refund a fraction of the smallest unit in ${inCurrency}`);
    const made = await stripe.refunds.create(
      { payment_intent: gatewayPayment, amount: sent, metadata: { key } },
      { idempotencyKey: key },
    );
    return takenByRefund(made) ?? refused(`The refund failed: ${made.failure_reason ?? "unknown"}`);
  } catch (error) {
    if (error instanceof Stripe.errors.StripeInvalidRequestError) return refused(error.message);
    throw error;
  }
}

function refused(reason: string): RefundRefused {
  return { kind: "refused", reason };
}

const aboutIntent = z.object({
  data: z.object({
    object: z.object({
      payment_intent: z.union([z.string(), z.object({ id: z.string() }).transform(({ id }) => id)]),
    }),
  }),
});

/** The intent of a refund or dispute. The body is JSON, since Stripe signed it. */
function intentIn(rawBody: Buffer): string | null {
  const { success, data } = aboutIntent.safeParse(JSON.parse(rawBody.toString("utf8")));
  return success ? data.data.object.payment_intent : null;
}

async function paymentOf(stripe: Stripe, intent: string): Promise<PaymentNamed | null> {
  try {
    const { metadata } = await stripe.paymentIntents.retrieve(intent);
    const { account_id: accountId, payment_id: paymentId } = metadata;
    return accountId && paymentId ? { accountId, paymentId } : null;
  } catch (error) {
    if (isMissing(error, "intent")) return null;
    throw error;
  }
}

/** Where to, and over connections that are closed when idle. */
function addressOf(url = STRIPE) {
  const { hostname: host, port, protocol } = new URL(url);
  const idle = { keepAlive: true, timeout: IDLE_MS };
  return protocol === "http:"
    ? ({ host, port: port || "80", protocol: "http", httpAgent: new http.Agent(idle) } as const)
    : ({ host, port: port || "443", protocol: "https", httpAgent: new https.Agent(idle) } as const);
}

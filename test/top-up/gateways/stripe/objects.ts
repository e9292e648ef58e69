import type { ChargeRequest } from "../../../../services/top-up/gateways/payment-gateway.ts";
import type { Answer } from "./server.ts";

/** Objects and errors in Stripe's format, without the fields that are not read here. */

type Json = Readonly<Record<string, unknown>>;

export const CREATED_AT = Date.UTC(2026, 10, 1, 12);

export const CHARGE: ChargeRequest = {
  key: "payment-1",
  accountId: "acme",
  paymentId: "payment-1",
  amount: 1000n,
  currency: "USD",
  customer: "cus_1",
  method: "pm_1",
  createdAt: CREATED_AT,
};

export const OURS = { account_id: "acme", payment_id: "payment-1", key: "payment-1" };

export function intent(differently: Json = {}): Json {
  return {
    id: "pi_1",
    object: "payment_intent",
    amount: 1000,
    client_secret: "pi_1_secret_of_the_client",
    created: CREATED_AT / 1000,
    currency: "usd",
    customer: "cus_1",
    last_payment_error: null,
    metadata: OURS,
    payment_method: "pm_1",
    status: "succeeded",
    ...differently,
  };
}

export function refund(differently: Json = {}): Json {
  return {
    id: "re_1",
    object: "refund",
    amount: 400,
    charge: "ch_1",
    currency: "usd",
    metadata: {},
    payment_intent: "pi_1",
    reason: null,
    status: "succeeded",
    ...differently,
  };
}

export function dispute(differently: Json = {}): Json {
  return {
    id: "du_1",
    object: "dispute",
    amount: 1000,
    balance_transactions: [],
    charge: "ch_1",
    currency: "usd",
    metadata: {},
    payment_intent: "pi_1",
    reason: "fraudulent",
    status: "needs_response",
    ...differently,
  };
}

export function list(url: string, data: readonly Json[], has_more = false): Answer {
  return { body: { object: "list", url, has_more, data } };
}

/** The error for a card that the bank declines off session, with its intent. */
export function cardError(codes: { code: string; decline_code?: string }): Answer {
  const error = {
    ...codes,
    charge: "ch_1",
    doc_url: `https://docs.stripe.com/error-codes/${codes.code.replaceAll("_", "-")}`,
    message: "Your card was declined.",
    type: "card_error",
  };
  const failed = intent({ status: "requires_payment_method", last_payment_error: error });
  return { status: 402, body: { error: { ...error, payment_intent: failed } } };
}

export function missing(param: "customer" | "payment_method" | "intent", id: string): Answer {
  const what = param === "intent" ? "payment_intent" : param;
  return invalidRequest({ code: "resource_missing", message: `No such ${what}: '${id}'`, param });
}

export function invalidRequest(error: Json): Answer {
  return { status: 400, body: { error: { type: "invalid_request_error", ...error } } };
}

export function failure(status: number, error: Json): Answer {
  return { status, body: { error } };
}

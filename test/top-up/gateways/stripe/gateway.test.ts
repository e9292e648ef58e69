import { describe, expect, test } from "vitest";
import { OutcomeUnknown } from "../../../../services/top-up/gateways/payment-gateway.ts";
import { declineAs } from "../../../../services/top-up/gateways/stripe/declines.ts";
import { openStripeGateway } from "../../../../services/top-up/gateways/stripe/gateway.ts";
import type { Decline } from "../../../../shared/core/payments/decline.ts";
import { eventually } from "../../../support/eventually.ts";
import { CHARGE, cardError, failure, intent, invalidRequest, missing } from "./objects.ts";
import { type Answer, SECRET_KEY, stripeServer, WEBHOOK_SECRET } from "./server.ts";

describe("a charge", () => {
  test("is made off session, confirmed at once, under its key", async () => {
    const { gateway, requests } = await stripeServer(() => ({ body: intent() }));
    expect(await gateway.charge(CHARGE)).toMatchObject({
      kind: "succeeded",
      gatewayPayment: "pi_1",
    });
    expect(requests.map(({ call }) => call)).toEqual(["POST /v1/payment_intents"]);
    expect(requests[0]?.headers).toMatchObject({
      "idempotency-key": "payment-1",
      authorization: `Bearer ${SECRET_KEY}`,
    });
    expect(requests[0]?.params).toEqual({
      amount: "1000",
      currency: "usd",
      customer: "cus_1",
      payment_method: "pm_1",
      off_session: "true",
      confirm: "true",
      "automatic_payment_methods[enabled]": "true",
      "automatic_payment_methods[allow_redirects]": "never",
      "metadata[account_id]": "acme",
      "metadata[payment_id]": "payment-1",
      "metadata[key]": "payment-1",
    });
  });

  test.each([
    ["processing", "is processing", { kind: "processing" }],
    ["requires_capture", "is processing", { kind: "processing" }],
    ["a_status_of_tomorrow", "is processing", { kind: "processing" }],
    [
      "requires_action",
      "is declined until the customer approves it",
      declined("needs_customer", "authentication_required"),
    ],
    ["requires_payment_method", "is declined for now", declined("soft", "not_confirmed")],
    ["requires_confirmation", "is declined for now", declined("soft", "not_confirmed")],
    ["canceled", "is declined for good", declined("hard", "canceled")],
  ])("left by Stripe as %s %s", async (status, _, state) => {
    const { gateway } = await stripeServer(() => ({ body: intent({ status }) }));
    expect(await gateway.charge(CHARGE)).toMatchObject({ gatewayPayment: "pi_1", ...state });
  });
});

test("a connection that nobody needs is closed soon: one that has gone silent meanwhile would take a payment's time", {
  timeout: 30_000,
}, async () => {
  const { gateway, requests, connections } = await stripeServer(() => ({ body: intent() }));
  await gateway.charge(CHARGE);
  await gateway.stateOf("pi_1");
  expect([requests.length, await connections()]).toEqual([2, 1]);
  await eventually("it is closed", async () => (await connections()) === 0, 15_000);
});

describe("a declined charge says what to do next", () => {
  test.each([
    ["card_declined", "insufficient_funds", "soft"],
    ["card_declined", "generic_decline", "soft"],
    ["card_declined", "do_not_honor", "soft"],
    ["card_declined", "card_velocity_exceeded", "soft"],
    ["card_declined", "a_code_of_tomorrow", "soft"],
    ["processing_error", "processing_error", "soft"],
    ["expired_card", "expired_card", "hard"],
    ["card_declined", "stolen_card", "hard"],
    ["card_declined", "lost_card", "hard"],
    ["card_declined", "fraudulent", "hard"],
    ["card_declined", "card_not_supported", "hard"],
    ["card_declined", "revocation_of_authorization", "hard"],
    ["authentication_required", "authentication_required", "needs_customer"],
    ["card_declined", "authentication_not_handled", "needs_customer"],
    ["card_declined", "offline_pin_required", "needs_customer"],
  ] as const)("%s, %s: %s", async (code, decline_code, kind) => {
    const { gateway } = await stripeServer(() => cardError({ code, decline_code }));
    expect(await gateway.charge(CHARGE)).toEqual({
      gatewayPayment: "pi_1",
      ...declined(kind, decline_code),
    });
  });

  test("by Stripe's own code where the bank gave none", async () => {
    const { gateway } = await stripeServer(() => cardError({ code: "incorrect_number" }));
    expect(await gateway.charge(CHARGE)).toMatchObject(declined("hard", "incorrect_number"));
  });

  test("and names no Stripe payment where none was made", async () => {
    const { gateway } = await stripeServer(() =>
      failure(402, { type: "card_error", code: "card_declined", message: "Declined." }),
    );
    expect(await gateway.charge(CHARGE)).toEqual({
      gatewayPayment: null,
      ...declined("soft", "card_declined"),
    });
  });

  test.each([
    ["customer", missing("customer", "cus_1"), "resource_missing"],
    ["card", missing("payment_method", "pm_1"), "resource_missing"],
    [
      "sum",
      invalidRequest({ code: "amount_too_small", param: "amount", message: "At least $0.50." }),
      "amount_too_small",
    ],
    ["request", invalidRequest({ message: "Unheard of." }), "invalid_request"],
  ])("the %s that Stripe does not accept is declined for good", async (_, answer, code) => {
    const { gateway } = await stripeServer(() => answer);
    expect(await gateway.charge(CHARGE)).toEqual({
      gatewayPayment: null,
      ...declined("hard", code),
    });
  });
});

const IN_USE = failure(409, {
  type: "idempotency_error",
  code: "idempotency_key_in_use",
  message: "There is currently another in-progress request using this Idempotent Key.",
});
const KEY_REFUSED = failure(401, {
  type: "invalid_request_error",
  message: `Invalid API Key provided: ${SECRET_KEY}`,
});
const NOT_PERMITTED = failure(403, {
  type: "invalid_request_error",
  message: `The provided key '${SECRET_KEY}' does not have access to account 'acct_1'`,
});

describe("the outcome of a charge is unknown when", () => {
  test.each<[string, Answer, RegExp]>([
    [
      "Stripe fails",
      failure(500, { type: "api_error", message: "Something went wrong." }),
      /charging payment payment-1: Something went wrong\. \(request req_1\)/,
    ],
    ["Stripe is down", { status: 503, body: "<html>down</html>" }, /Invalid JSON/],
    ["an earlier call with the key is under way", IN_USE, /another in-progress request/],
    [
      "there are too many requests",
      failure(429, { type: "invalid_request_error", code: "rate_limit", message: "Too many." }),
      /Too many/,
    ],
    [
      "another request holds the customer",
      failure(429, { type: "invalid_request_error", code: "lock_timeout", message: "Locked." }),
      /Locked/,
    ],
    ["Stripe refuses the secret key", KEY_REFUSED, /refuses the secret key/],
    ["the secret key may not charge", NOT_PERMITTED, /refuses the secret key/],
  ])("%s", async (_, answer, message) => {
    const { gateway, requests } = await stripeServer(() => answer);
    const error = await failureOf(gateway.charge(CHARGE));
    expect(error).toBeInstanceOf(OutcomeUnknown);
    expect(error.message).toMatch(message);
    expect(requests).toHaveLength(1);
  });

  test.each<Answer>(["says nothing", "answers in trickles"])("Stripe %s", async (answer) => {
    const { gateway } = await stripeServer(() => answer, 200);
    const error = await failureOf(gateway.charge(CHARGE));
    expect(error).toBeInstanceOf(OutcomeUnknown);
    expect(error.message).toMatch(/200 ?ms/);
  });

  test("the connection breaks repeatedly, each time under the same key", async () => {
    const { gateway, requests } = await stripeServer(() => "breaks the connection");
    expect(await failureOf(gateway.charge(CHARGE))).toBeInstanceOf(OutcomeUnknown);
    expect(requests.map(({ headers }) => headers["idempotency-key"])).toEqual([
      "payment-1",
      "payment-1",
    ]);
  });

  test("Stripe is unreachable", async () => {
    const options = { secretKey: SECRET_KEY, webhookSecret: WEBHOOK_SECRET };
    const gateway = openStripeGateway({ ...options, url: "http://127.0.0.1:1" });
    expect(await failureOf(gateway.charge(CHARGE))).toBeInstanceOf(OutcomeUnknown);
  });
});

test("a key used for another request is a bug, not an unknown outcome", async () => {
  const { gateway } = await stripeServer(() =>
    failure(400, {
      type: "idempotency_error",
      message: "Keys for idempotent requests can only be used with the same parameters.",
    }),
  );
  const error = await failureOf(gateway.charge(CHARGE));
  expect(error).not.toBeInstanceOf(OutcomeUnknown);
  expect(error.message).toMatch(/the idempotency key was used for another request/);
});

test.each([
  ["refused key", KEY_REFUSED],
  ["forbidden call", NOT_PERMITTED],
  ["failure", failure(500, { type: "api_error", message: "Failed.", payment_intent: intent() })],
  ["broken connection", "breaks the connection" as const],
])("the error of a %s contains no secret", async (_, answer) => {
  const { gateway } = await stripeServer(() => answer);
  const error = await failureOf(gateway.charge(CHARGE));
  const all = JSON.stringify({ ...error, message: error.message, stack: error.stack });
  expect(error.cause).toBeUndefined();
  for (const secret of [SECRET_KEY, WEBHOOK_SECRET, "secret_of_the_client"]) {
    expect(all).not.toContain(secret);
  }
});

describe("money is sent in Stripe's minor unit", () => {
  test.each([
    ["USD", 2900n, "2900"],
    ["JPY", 500n, "500"],
    ["KWD", 5120n, "5120"],
    ["ISK", 5n, "500"],
    ["UGX", 5n, "500"],
    ["HUF", 175n, "17500"],
    ["USD", BigInt(Number.MAX_SAFE_INTEGER), String(Number.MAX_SAFE_INTEGER)],
  ])("%s %s as %s", async (currency, amount, sent) => {
    const { gateway, requests } = await stripeServer(() => ({ body: intent() }));
    await gateway.charge({ ...CHARGE, currency, amount });
    expect(requests[0]?.params).toMatchObject({ amount: sent, currency: currency.toLowerCase() });
  });

  test("a KWD amount not in tens of fils, which Stripe cannot charge, is declined and not sent", async () => {
    const { gateway, requests } = await stripeServer(() => ({ body: intent() }));
    expect(await gateway.charge({ ...CHARGE, currency: "KWD", amount: 5124n })).toEqual({
      gatewayPayment: null,
      ...declined("hard", "amount_not_representable"),
    });
    expect(requests).toEqual([]);
  });

  test("an amount that a number cannot represent exactly is an error and not sent", async () => {
    const { gateway, requests } = await stripeServer(() => ({ body: intent() }));
    const amount = BigInt(Number.MAX_SAFE_INTEGER) + 1n;
    expect(await failureOf(gateway.charge({ ...CHARGE, amount }))).toBeInstanceOf(RangeError);
    expect(requests).toEqual([]);
  });
});

function declined(kind: Decline["kind"], code: string) {
  return { kind: "declined", decline: declineAs(kind, code) };
}

async function failureOf(call: Promise<unknown>): Promise<Error> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  return expect.fail("the call did not fail");
}

/**
 * The port PaymentGateway with the simulated gateway: what each answer means for a payment. A failure on
 * the way leaves the outcome unknown, and a query finds it.
 */
import { describe, expect, test } from "vitest";
import {
  type ChargeRequest,
  OutcomeUnknown,
  type PaymentGateway,
} from "../../../services/top-up/gateways/payment-gateway.ts";
import { openSimulatedGateway } from "../../../services/top-up/gateways/simulated/gateway.ts";
import { eventually } from "../../support/eventually.ts";
import { openGateway } from "../../support/processes/simulated-gateway.ts";
import { receiveWebhooks } from "../../support/processes/webhook-receiver.ts";

const SECRET = "whsec_of_the_tests";

const REQUEST: ChargeRequest = {
  key: "k1",
  accountId: "acme",
  paymentId: "p1",
  amount: 9_223_372_036_854_775_807n,
  currency: "USD",
  customer: "cus_acme",
  method: "card_approve",
  createdAt: 0,
};

test("a charge that succeeds", async () => {
  const { server, adapter } = await openBoth();
  const charged = await adapter.charge(REQUEST);
  expect(charged).toMatchObject({
    kind: "succeeded",
    gatewayPayment: expect.stringMatching(/^pay_/),
  });
  expect(await server.payments()).toMatchObject([
    {
      key: "k1",
      account_id: "acme",
      payment_id: "p1",
      amount: "9223372036854775807",
      currency: "USD",
      customer: "cus_acme",
      method: "card_approve",
    },
  ]);
  expect(await adapter.charge(REQUEST)).toEqual(charged);
  expect(await adapter.find(REQUEST)).toEqual(charged);
});

test.each([
  {
    method: "card_decline",
    kind: "soft",
    reason: "insufficient_funds",
    code: "insufficient_funds",
  },
  { method: "card_decline_hard", kind: "hard", reason: null, code: "stolen_card" },
  { method: "card_expired", kind: "hard", reason: "expired", code: "expired_card" },
  {
    method: "card_authenticate",
    kind: "needs_customer",
    reason: null,
    code: "authentication_required",
  },
])("a charge that is declined: $method, $kind", async ({ method, ...decline }) => {
  const { adapter } = await openBoth();
  const request = { ...REQUEST, method };
  const gatewayPayment = expect.stringMatching(/^pay_/);
  const declined = { kind: "declined", gatewayPayment, decline };
  expect(await adapter.charge(request)).toEqual(declined);
  expect(await adapter.find(request)).toEqual(declined);
});

test("a charge that is under way, until a query finds it succeeded", async () => {
  const { adapter } = await openBoth();
  const request = { ...REQUEST, method: "card_processing" };
  const first = await adapter.charge(request);
  expect(first.kind).toBe("processing");
  await eventually("it succeeds", async () => (await adapter.find(request))?.kind === "succeeded");
  expect(await adapter.find(request)).toEqual({ ...first, kind: "succeeded" });
});

test("a charge that was never made is not found", async () => {
  const { adapter } = await openBoth();
  await adapter.charge(REQUEST);
  expect(await adapter.find({ ...REQUEST, key: "k 2&key=k1" })).toBeNull();
});

describe("the outcome of a charge is unknown, and a query finds it, when the gateway", () => {
  test.each([
    {
      what: "does not answer in time",
      method: "card_timeout_after_charge",
      says: "the simulated gateway did not answer the charge of payment p1 of account acme within 300 ms",
    },
    {
      what: "breaks the connection",
      method: "card_break_after_charge",
      says: "the connection to the simulated gateway failed during the charge of payment p1 of account acme: other side closed",
    },
    {
      what: "fails after the charge",
      method: "card_500_after_charge",
      says: /^the simulated gateway answered the charge of payment p1 of account acme with 500: /,
    },
  ])("$what", async ({ method, says }) => {
    const { server, adapter } = await openBoth({ timeLimitMs: 300 });
    const request = { ...REQUEST, method };
    expect((await failureOf(adapter.charge(request), OutcomeUnknown)).message).toMatch(says);
    expect(await adapter.find(request)).toMatchObject({ kind: "succeeded" });
    expect(await adapter.charge(request)).toEqual(await adapter.find(request));
    expect(await server.payments()).toHaveLength(1);
  });

  test("fails before the charge", async () => {
    const { adapter } = await openBoth();
    const request = { ...REQUEST, method: "card_500_before_charge" };
    await failureOf(adapter.charge(request), OutcomeUnknown);
    expect(await adapter.find(request)).toBeNull();
  });
});

describe("an unreachable gateway leaves the outcome unknown of", () => {
  const refund = { key: "r1", gatewayPayment: "pay_1", amount: 400n };
  test.each<{ what: string; call: (adapter: PaymentGateway) => Promise<unknown> }>([
    {
      what: "the charge of payment p1 of account acme",
      call: (adapter) => adapter.charge(REQUEST),
    },
    {
      what: "the query for payment p1 of account acme",
      call: (adapter) => adapter.find(REQUEST),
    },
    {
      what: "the query for refunds of gateway payment pay_1",
      call: (adapter) => adapter.takenBack("pay_1"),
    },
    {
      what: "the refund of 400 of gateway payment pay_1",
      call: (adapter) => adapter.refund(refund),
    },
  ])("$what", async ({ what, call }) => {
    const { server, adapter } = await openBoth();
    await server.close();
    const { message } = await failureOf(call(adapter), OutcomeUnknown);
    expect(message).toMatch(
      new RegExp(`^the connection to the simulated gateway failed during ${what}: .*ECONNREFUSED`),
    );
  });
});

test("a wrong call is a bug: a plain error with the gateway's answer", async () => {
  const { adapter } = await openBoth();
  await adapter.charge(REQUEST);
  const conflict = await failureOf(adapter.charge({ ...REQUEST, amount: 1n }), Error);
  expect(conflict).not.toBeInstanceOf(OutcomeUnknown);
  expect(conflict.message).toMatch(/ with 409: .*used for another request/);
  expect(await failureOf(adapter.takenBack("pay_x"), Error)).not.toBeInstanceOf(OutcomeUnknown);
});

test("a payment method that is not a card is declined for good", async () => {
  const { adapter } = await openBoth();
  expect(await adapter.charge({ ...REQUEST, method: "visa" })).toMatchObject({
    kind: "declined",
    decline: { kind: "hard", reason: "card_removed", code: "resource_missing" },
  });
});

test("refunds and chargebacks are everything taken back", async () => {
  const { server, adapter } = await openBoth();
  const gatewayPayment = await paidWith(adapter);
  expect(await adapter.takenBack(gatewayPayment)).toEqual([]);
  const refund = await adapter.refund({ key: "r1", gatewayPayment, amount: 7n });
  expect(refund).toEqual({
    gatewayId: expect.stringMatching(/^re_/),
    key: "r1",
    kind: "refund",
    amount: 7n,
  });
  expect(await adapter.refund({ key: "r1", gatewayPayment, amount: 7n })).toEqual(refund);
  await server.send("POST", `/v1/payments/${gatewayPayment}/chargeback`);
  expect(await adapter.takenBack(gatewayPayment)).toEqual([
    refund,
    {
      gatewayId: expect.stringMatching(/^cb_/),
      key: null,
      kind: "chargeback",
      amount: 9_223_372_036_854_775_800n,
    },
  ]);
});

test("a refund of more than is left is refused with the reason", async () => {
  const { adapter } = await openBoth();
  const gatewayPayment = await paidWith(adapter);
  await adapter.refund({ key: "r1", gatewayPayment, amount: REQUEST.amount });
  expect(await adapter.refund({ key: "r2", gatewayPayment, amount: 1n })).toEqual({
    kind: "refused",
    reason: `cannot refund 1 of payment ${gatewayPayment}: 0 of its 9223372036854775807 is left (in the minor unit of USD)`,
  });
});

test("the gateway's webhook names the payment", async () => {
  const receiver = await receiveWebhooks();
  const { adapter } = await openBoth({ webhooks: { url: receiver.url, secret: SECRET } });
  await adapter.charge(REQUEST);
  await receiver.has(1);
  const { rawBody, signature } = receiver.received[0] ?? expect.fail();
  const named = await adapter.readWebhook(rawBody, signature);
  expect(named).toEqual({ accountId: "acme", paymentId: "p1" });
});

type Options = Parameters<typeof openGateway>[0] & { readonly timeLimitMs?: number };

async function openBoth({ timeLimitMs = 10_000, ...options }: Options = {}) {
  const server = await openGateway(options);
  const { url } = server;
  return { server, adapter: openSimulatedGateway({ url, webhookSecret: SECRET, timeLimitMs }) };
}

async function paidWith(adapter: PaymentGateway): Promise<string> {
  const charged = await adapter.charge(REQUEST);
  return charged.kind === "succeeded" ? charged.gatewayPayment : expect.fail(charged.kind);
}

/** The error of a call, which must be of this kind. */
async function failureOf(call: Promise<unknown>, kind: new () => Error): Promise<Error> {
  const failure = await call.then(
    (answer) => expect.fail(`answered ${JSON.stringify(answer)}`),
    (error: unknown) => error,
  );
  if (!(failure instanceof kind)) throw failure;
  return failure;
}

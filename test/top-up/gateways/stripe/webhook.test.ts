import Stripe from "stripe";
import { describe, expect, test } from "vitest";
import {
  OutcomeUnknown,
  WebhookRefused,
} from "../../../../services/top-up/gateways/payment-gateway.ts";
import { dispute, failure, intent, missing, OURS, refund } from "./objects.ts";
import { type Answer, stripeServer, WEBHOOK_SECRET } from "./server.ts";

const PAYMENT = { accountId: "acme", paymentId: "payment-1" };
const SUCCEEDED = event("payment_intent.succeeded", intent());

describe("a webhook names the payment", () => {
  test.each([
    ["of a payment, by its metadata", SUCCEEDED],
    [
      "of a charge, by the metadata copied from its payment",
      event("charge.refunded", { object: "charge", payment_intent: "pi_1", metadata: OURS }),
    ],
  ])("%s, and Stripe is not asked", async (_, payload) => {
    const { gateway, requests } = await stripeServer(() => ({ body: intent() }));
    expect(await gateway.readWebhook(...signed(payload))).toEqual(PAYMENT);
    expect(requests).toEqual([]);
  });

  test.each([
    ["a dispute", event("charge.dispute.created", dispute())],
    ["a refund made in Stripe's dashboard", event("refund.created", refund())],
    [
      "a refund of ours, which carries its key only",
      event("refund.updated", refund({ metadata: { key: "refund-1" } })),
    ],
    [
      "a refund that comes with its whole payment",
      event("refund.updated", refund({ payment_intent: intent() })),
    ],
  ])("of %s, by asking Stripe for its payment", async (_, payload) => {
    const { gateway, requests } = await stripeServer(() => ({ body: intent() }));
    expect(await gateway.readWebhook(...signed(payload))).toEqual(PAYMENT);
    expect(requests.map(({ call }) => call)).toEqual(["GET /v1/payment_intents/pi_1"]);
  });
});

describe("a webhook names no payment of ours when it is about", () => {
  test.each([
    ["a payment without our metadata", event("payment_intent.succeeded", intent({ metadata: {} }))],
    ["something else", event("customer.created", { object: "customer", metadata: {} })],
    ["a refund of no payment", event("refund.created", refund({ payment_intent: null }))],
  ])("%s", async (_, payload) => {
    const { gateway, requests } = await stripeServer(() => ({ body: intent() }));
    expect(await gateway.readWebhook(...signed(payload))).toBeNull();
    expect(requests).toEqual([]);
  });

  test.each<[string, Answer]>([
    ["without our metadata", { body: intent({ metadata: {} }) }],
    ["that Stripe does not know", missing("intent", "pi_1")],
  ])("a dispute of a payment %s", async (_, answer) => {
    const { gateway } = await stripeServer(() => answer);
    const payload = event("charge.dispute.created", dispute());
    expect(await gateway.readWebhook(...signed(payload))).toBeNull();
  });
});

test("the payment of a dispute is unknown while Stripe fails: the webhook must be sent again", async () => {
  const { gateway } = await stripeServer(() => failure(500, { type: "api_error" }));
  const payload = event("charge.dispute.created", dispute());
  await expect(gateway.readWebhook(...signed(payload))).rejects.toThrow(OutcomeUnknown);
});

describe("a webhook is refused, without a request to Stripe, when", () => {
  const FIVE_MINUTES = 5 * 60;
  const now = () => Math.floor(Date.now() / 1000);

  test.each<[string, () => [Buffer, string | undefined]]>([
    ["its body was changed", () => [Buffer.from(`${SUCCEEDED} `), signed(SUCCEEDED)[1]]],
    ["another secret signed it", () => signed(SUCCEEDED, { secret: "whsec_another" })],
    ["it is too old", () => signed(SUCCEEDED, { timestamp: now() - FIVE_MINUTES - 10 })],
    ["it has no signature", () => [Buffer.from(SUCCEEDED), undefined]],
    ["its signature is invalid", () => [Buffer.from(SUCCEEDED), "t=1,v1=00"]],
    ["it has no body", () => [Buffer.alloc(0), signed(SUCCEEDED)[1]]],
    [
      "a dispute is forged",
      () => signed(event("charge.dispute.created", dispute()), { secret: "x" }),
    ],
  ])("%s", async (_, webhook) => {
    const { gateway, requests } = await stripeServer(() => ({ body: intent() }));
    await expect(gateway.readWebhook(...webhook())).rejects.toThrow(WebhookRefused);
    expect(requests).toEqual([]);
  });

  test("and the refusal reveals neither the secret nor the body", async () => {
    const { gateway } = await stripeServer(() => ({ body: intent() }));
    const forged = signed(SUCCEEDED, { secret: "whsec_another" });
    const error: unknown = await gateway.readWebhook(...forged).catch((refusal) => refusal);
    if (!(error instanceof WebhookRefused)) return expect.fail("it was not refused");
    const all = JSON.stringify({ ...error, message: error.message, stack: error.stack });
    expect(all).not.toContain(WEBHOOK_SECRET);
    expect(all).not.toContain("secret_of_the_client");
    expect(error.cause).toBeUndefined();
  });

  test("but not after four minutes", async () => {
    const { gateway } = await stripeServer(() => ({ body: intent() }));
    const webhook = signed(SUCCEEDED, { timestamp: now() - 4 * 60 });
    expect(await gateway.readWebhook(...webhook)).toEqual(PAYMENT);
  });
});

function event(type: string, object: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ id: "evt_1", object: "event", type, data: { object } });
}

function signed(
  payload: string,
  otherwise: { secret?: string; timestamp?: number } = {},
): [Buffer, string] {
  const header = Stripe.webhooks.generateTestHeaderString({
    payload,
    secret: WEBHOOK_SECRET,
    ...otherwise,
  });
  return [Buffer.from(payload), header];
}

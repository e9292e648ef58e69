/**
 * A webhook names a payment only when it is signed with our secret, over exactly this body, recently;
 * one that is signed but not about our payments names none.
 */
import Stripe from "stripe";
import { describe, expect, test } from "vitest";
import { WebhookRefused } from "../../../../services/top-up/gateways/payment-gateway.ts";
import { readSignedWebhook } from "../../../../services/top-up/gateways/stripe/read-webhook.ts";

const SECRET = "whsec_of_the_tests";
const OURS = { account_id: "acme", payment_id: "p1" };

test("names the payment in its object's metadata", () => {
  expect(readSigned(eventWith({ metadata: OURS }))).toEqual({ accountId: "acme", paymentId: "p1" });
});

test("names it among other metadata", () => {
  const metadata = { ...OURS, note: "x" };
  expect(readSigned(eventWith({ metadata }))).toEqual({ accountId: "acme", paymentId: "p1" });
});

describe("names no payment where", () => {
  test.each([
    { what: "the metadata is empty", event: eventWith({ metadata: {} }) },
    { what: "there is no metadata", event: eventWith({}) },
    { what: "it is null", event: eventWith({ metadata: null }) },
    { what: "the account is not named", event: eventWith({ metadata: { payment_id: "p1" } }) },
    { what: "the payment is not named", event: eventWith({ metadata: { account_id: "acme" } }) },
    { what: "an id is not a text", event: eventWith({ metadata: { ...OURS, payment_id: 1 } }) },
    { what: "there is no object", event: { object: "event", data: {} } },
    { what: "there is no data", event: { object: "event" } },
    { what: "the event is null", event: null },
    { what: "the event is a list", event: [] },
  ])("$what", ({ event }) => {
    expect(readSigned(event)).toBeNull();
  });
});

describe("is refused", () => {
  const body = JSON.stringify(eventWith({ metadata: OURS }));
  const signature = sign(body);

  test("without a signature", () => {
    expect(refusal(body, undefined)).toBe(
      "the webhook has no signature: its header Stripe-Signature is missing",
    );
  });

  test.each(["", "x", "t=1", "v1=00", `${signature.slice(0, -1)}x`])("signed %j", (broken) => {
    expect(refusal(body, broken)).toMatch(/^the webhook is refused: .+/);
  });

  test("signed with another secret", () => {
    expect(refusal(body, sign(body, { secret: "whsec_other" }))).toBe(
      "the webhook is refused: No signatures found matching the expected signature for payload",
    );
  });

  test("when its body was changed, if only by a space", () => {
    expect(refusal(`${body} `, signature)).toContain("No signatures found matching");
  });

  test("when it was signed more than 300 s ago", () => {
    const timestamp = Math.floor(Date.now() / 1000) - 302;
    expect(refusal(body, sign(body, { timestamp }))).toBe(
      "the webhook is refused: Timestamp outside the tolerance zone",
    );
  });

  test("but not when it was signed 290 s ago", () => {
    const timestamp = Math.floor(Date.now() / 1000) - 290;
    expect(readSignedWebhook(Buffer.from(body), sign(body, { timestamp }), SECRET)).not.toBeNull();
  });

  test("when a fresh time is put before an old signature", () => {
    const old = Math.floor(Date.now() / 1000) - 400;
    const [, scheme = ""] = sign(body, { timestamp: old }).split(",");
    const forged = `t=${Math.floor(Date.now() / 1000)},${scheme}`;
    expect(refusal(body, forged)).toContain("No signatures found matching");
  });

  test("when it is empty", () => {
    expect(refusal("", sign(""))).toMatch(/^the webhook is refused: /);
  });

  test("when it is signed, but is not JSON", () => {
    expect(refusal("{", sign("{"))).toMatch(/^the webhook is refused: /);
  });

  test("without revealing the body", () => {
    expect(refusal('{"card":4242', sign('{"card":4242'))).not.toContain("4242");
  });
});

test.each(["", " "])("the secret %j is our own mistake, whatever the signature", (secret) => {
  const read = () => readSignedWebhook(Buffer.from("{}"), "t=1,v1=00", secret);
  expect(read).toThrow("the secret of the webhooks is empty");
  expect(read).not.toThrow(WebhookRefused);
});

function eventWith(object: object) {
  return { id: "evt_1", object: "event", type: "charge.succeeded", data: { object } };
}

function sign(payload: string, options: { secret?: string; timestamp?: number } = {}): string {
  return Stripe.webhooks.generateTestHeaderString({ payload, secret: SECRET, ...options });
}

function readSigned(event: unknown) {
  const body = JSON.stringify(event);
  return readSignedWebhook(Buffer.from(body), sign(body), SECRET);
}

function refusal(body: string, signature: string | undefined): string {
  try {
    readSignedWebhook(Buffer.from(body), signature, SECRET);
  } catch (error) {
    if (error instanceof WebhookRefused) return error.message;
    throw error;
  }
  return expect.fail("the webhook was taken");
}

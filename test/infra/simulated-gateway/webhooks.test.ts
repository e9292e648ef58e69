/**
 * The webhooks of the simulated gateway: each change of a payment, signed, repeated until received, in
 * the manner of the payment's card, and without delaying an answer.
 */
import { pino } from "pino";
import Stripe from "stripe";
import { expect, test } from "vitest";
import { openWebhooks } from "../../../infra/simulated-gateway/webhooks.ts";
import { eventually } from "../../support/eventually.ts";
import { openGateway } from "../../support/processes/simulated-gateway.ts";
import { receiveWebhooks, type WebhookReceiver } from "../../support/processes/webhook-receiver.ts";

const SECRET = "whsec_of_the_tests";
const METADATA = { account_id: "acme", payment_id: "p1" };

test.each([
  { method: "card_approve", type: "payment_intent.succeeded" },
  { method: "card_processing", type: "payment_intent.succeeded" },
  { method: "card_decline", type: "payment_intent.payment_failed" },
])("a charge with $method is sent as $type", async ({ method, type }) => {
  const { gateway, receiver } = await openBoth();
  const { body } = await gateway.charge({ method });
  await receiver.has(1);
  expect(receiver.received[0]?.json).toEqual({
    id: expect.stringMatching(/^evt_/),
    object: "event",
    type,
    created: expect.any(Number),
    data: { object: { id: body["id"], metadata: METADATA } },
  });
});

test("a payment under way is sent only once it has succeeded", async () => {
  const { gateway, receiver } = await openBoth();
  const { body } = await gateway.charge({ method: "card_processing" });
  await receiver.has(1);
  expect(typesOf(receiver)).toEqual(["payment_intent.succeeded"]);
  expect((await gateway.read(`/v1/payments/${body["id"]}`)).body).toMatchObject({
    status: "succeeded",
  });
});

test("a refund and a chargeback are sent, each with its own id", async () => {
  const { gateway, receiver } = await openBoth();
  const path = `/v1/payments/${(await gateway.charge()).body["id"]}`;
  await receiver.has(1);
  const refund = await gateway.send("POST", `${path}/refunds`, { amount: "400" }, "r1");
  await receiver.has(2);
  const chargeback = await gateway.send("POST", `${path}/chargeback`);
  await receiver.has(3);
  expect(receiver.received.slice(1).map(({ json }) => json)).toMatchObject([
    { type: "refund.created", data: { object: { id: refund.body["id"], metadata: METADATA } } },
    {
      type: "charge.dispute.created",
      data: { object: { id: chargeback.body["id"], metadata: METADATA } },
    },
  ]);
});

test("repeats and refusals send nothing", async () => {
  const { gateway, receiver } = await openBoth();
  const { body } = await gateway.charge({}, "k1");
  const refunds = `/v1/payments/${body["id"]}/refunds`;
  await gateway.send("POST", refunds, { amount: "400" }, "r1");
  await gateway.charge({}, "k1");
  await gateway.send("POST", refunds, { amount: "400" }, "r1");
  await gateway.send("POST", refunds, { amount: "601" }, "r2");
  await gateway.charge({ amount: "2" }, "k1");
  await gateway.charge({ method: "card_500_before_charge" }, "k2");
  await gateway.charge({ payment_id: "the last" }, "k3");
  await eventually("the last is told", () => paymentsOf(receiver).includes("the last"));
  expect(typesOf(receiver).toSorted()).toEqual([
    "payment_intent.succeeded",
    "payment_intent.succeeded",
    "refund.created",
  ]);
});

test("a webhook is signed like Stripe's: with the secret, over the exact body, at the current time", async () => {
  const { gateway, receiver } = await openBoth();
  await gateway.charge();
  await receiver.has(1);
  const { rawBody, signature } = receiver.received[0] ?? expect.fail();
  const event = Stripe.webhooks.constructEvent(rawBody, signature, SECRET, 30);
  expect(event.type).toBe("payment_intent.succeeded");
});

test("a failed webhook is sent again, after growing waits, until it is received", async () => {
  const { gateway, receiver } = await openBoth((before) => [500, 302, 404][before] ?? 204);
  await gateway.charge();
  await receiver.has(4);
  const waits = receiver.received.map(({ at }, n) => at - (receiver.received[n - 1]?.at ?? at));
  expect(waits[2]).toBeGreaterThan(waits[1] ?? 0);
  expect(waits[3]).toBeGreaterThan(waits[2] ?? 0);
  expect(new Set(receiver.received.map(({ rawBody }) => rawBody.toString())).size).toBe(1);
  await gateway.charge({ payment_id: "the next" });
  await receiver.has(5);
  expect(paymentsOf(receiver)).toEqual(["p1", "p1", "p1", "p1", "the next"]);
});

test("a receiver that never answers delays neither the answer nor other webhooks", async () => {
  const { gateway, receiver } = await openBoth((before) => (before === 0 ? null : 200));
  expect((await gateway.charge()).status).toBe(200);
  await receiver.has(1);
  expect((await gateway.charge({ payment_id: "the next" })).status).toBe(200);
  await receiver.has(2);
  expect(paymentsOf(receiver)).toEqual(["p1", "the next"]);
});

test("card_webhook_twice is sent twice, as the same event", async () => {
  const { gateway, receiver } = await openBoth();
  await gateway.charge({ method: "card_webhook_twice" });
  await receiver.has(2);
  expect(new Set(receiver.received.map(({ json }) => json.id)).size).toBe(1);
});

test("card_webhook_late is sent two seconds late", async () => {
  const { gateway, receiver } = await openBoth();
  const began = Date.now();
  await gateway.charge({ method: "card_webhook_late" });
  await receiver.has(1);
  expect((receiver.received[0]?.at ?? 0) - began).toBeGreaterThan(1_990);
});

test("card_no_webhook is never sent, nor is its refund", async () => {
  const { gateway, receiver } = await openBoth();
  const { body } = await gateway.charge({ method: "card_no_webhook", payment_id: "quiet" });
  await gateway.send("POST", `/v1/payments/${body["id"]}/refunds`, { amount: "1" }, "r1");
  await gateway.charge({ payment_id: "the next" });
  await receiver.has(1);
  expect(paymentsOf(receiver)).toEqual(["the next"]);
});

test("charges work without a webhook URL", async () => {
  const gateway = await openGateway();
  expect((await gateway.charge()).status).toBe(200);
});

test("of more than 10,000 waiting webhooks the newest are dropped, and this is logged", () => {
  const log: string[] = [];
  const logger = pino({ base: null, timestamp: false }, { write: (line) => log.push(line) });
  const webhooks = openWebhooks({ url: "http://nowhere.invalid", secret: SECRET }, logger);
  const post = (id: string) => webhooks.post({ id, json: "{}" }, 60_000);
  for (let n = 1; n <= 10_000; n += 1) post(`e${n}`);
  expect(log).toEqual([]);
  post("one too many");
  expect(log.map((line) => JSON.parse(line))).toMatchObject([
    { event: "one too many", msg: "webhook dropped: too many are waiting" },
  ]);
  webhooks.close();
});

async function openBoth(answer?: (before: number) => number | null) {
  const receiver = await receiveWebhooks(answer);
  const gateway = await openGateway({ webhooks: { url: receiver.url, secret: SECRET } });
  return { gateway, receiver };
}

function typesOf({ received }: WebhookReceiver): string[] {
  return received.map(({ json }) => json.type);
}

function paymentsOf({ received }: WebhookReceiver): string[] {
  return received.map(({ json }) => json.data.object.metadata.payment_id);
}

import { beforeAll, describe, expect, test } from "vitest";
import { openGateway } from "../../../../services/top-up/gateways/open-gateway.ts";
import type { PaymentGateway } from "../../../../services/top-up/gateways/payment-gateway.ts";
import { readPaymentSettings } from "../../../../services/top-up/settings.ts";
import { isGoThere, startStripeMock } from "./mock.ts";
import { CHARGE } from "./objects.ts";
import { SECRET_KEY, WEBHOOK_SECRET } from "./server.ts";

const BUILD_WITHIN_MS = 5 * 60 * 1000;
const hasGo = await isGoThere();
const name = "Stripe's own mock server takes what the gateway sends";

describe.skipIf(!hasGo)(hasGo ? name : `${name} (skipped: building it needs Go)`, () => {
  let url: string;
  let gateway: PaymentGateway;

  beforeAll(async () => {
    const mock = await startStripeMock();
    url = mock.url;
    const settings = readPaymentSettings({
      PAYMENT_GATEWAY: "stripe",
      STRIPE_SECRET_KEY: SECRET_KEY,
      STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
      STRIPE_URL: url,
    });
    gateway = await openGateway(settings.gateway);
    return mock.stop;
  }, BUILD_WITHIN_MS);

  test("a charge", async () => {
    // The mock's example has its own intent; a refused request gets none.
    const { gatewayPayment } = await gateway.charge(CHARGE);
    expect(gatewayPayment).toMatch(/^pi_/);
  });

  test("the query for a charge", async () => {
    expect(await gateway.find(CHARGE)).toBeNull();
  });

  test("the query for refunds", async () => {
    const [refunded] = await gateway.takenBack("pi_1");
    expect(refunded).toMatchObject({ kind: "refund" });
  });

  test("a refund", async () => {
    const request = { key: "refund-1", gatewayPayment: "pi_1", amount: 400n };
    expect(await gateway.refund(request)).toMatchObject({ kind: "refund" });
  });

  test.each([
    ["GET", "/v1/payment_intents?customer=cus_1&colour=red"],
    ["GET", "/v1/refunds?payment_intent=pi_1&colour=red"],
    ["GET", "/v1/disputes?payment_intent=pi_1&colour=red"],
    ["POST", "/v1/payment_intents?amount=1000&currency=usd&colour=red"],
    ["POST", "/v1/payment_intents?amount=much&currency=usd"],
    ["POST", "/v1/refunds?payment_intent=pi_1&colour=red"],
  ])("the mock does check: %s %s is refused", async (method, call) => {
    const { pathname, search } = new URL(call, url);
    const authorization = `Bearer ${SECRET_KEY}`;
    const answer =
      method === "GET"
        ? await fetch(`${url}${call}`, { headers: { authorization } })
        : await fetch(`${url}${pathname}`, {
            method,
            headers: { authorization },
            body: new URLSearchParams(search),
          });
    expect(answer.status).toBe(400);
  });
});

import { describe, expect, test } from "vitest";
import { OutcomeUnknown } from "../../../../services/top-up/gateways/payment-gateway.ts";
import { dispute, failure, intent, invalidRequest, list, missing, refund } from "./objects.ts";
import { type Answer, type StripeServer, stripeServer } from "./server.ts";

const REFUNDS = "/v1/refunds";
const DISPUTES = "/v1/disputes";
const REFUND = { key: "refund-1", gatewayPayment: "pi_1", amount: 400n };

type Listed = Parameters<typeof list>[1];

describe("what was taken back of a payment", () => {
  test("is what was refunded, with the key of its request, and what a bank disputes", async () => {
    const { gateway, requests } = await holding(
      [refund({ metadata: { key: "refund-1" } }), refund({ id: "re_2", amount: 100 })],
      [dispute({ amount: 500 })],
    );
    expect(await gateway.takenBack("pi_1")).toEqual([
      { gatewayId: "re_1", key: "refund-1", kind: "refund", amount: 400n },
      { gatewayId: "re_2", key: null, kind: "refund", amount: 100n },
      { gatewayId: "du_1", key: null, kind: "chargeback", amount: 500n },
    ]);
    expect(requests.map(({ call, params }) => [call, params])).toEqual([
      [`GET ${REFUNDS}`, { payment_intent: "pi_1", limit: "100" }],
      [`GET ${DISPUTES}`, { payment_intent: "pi_1", limit: "100" }],
    ]);
  });

  test("is read to the last page", async () => {
    const { gateway } = await stripeServer(({ call, params }) => {
      if (call.endsWith(DISPUTES)) return list(DISPUTES, []);
      return params["starting_after"] === "re_1"
        ? list(REFUNDS, [refund({ id: "re_2" })])
        : list(REFUNDS, [refund()], true);
    });
    const ids = (await gateway.takenBack("pi_1")).map(({ gatewayId }) => gatewayId);
    expect(ids).toEqual(["re_1", "re_2"]);
  });

  test("is nothing for a payment without refunds and disputes", async () => {
    const { gateway } = await holding([], []);
    expect(await gateway.takenBack("pi_1")).toEqual([]);
  });

  test.each([
    ["succeeded", 1],
    ["pending", 1],
    ["requires_action", 1],
    ["failed", 0],
    ["canceled", 0],
  ])("counts a refund that is %s: %i", async (status, count) => {
    const { gateway } = await holding([refund({ status })], []);
    expect(await gateway.takenBack("pi_1")).toHaveLength(count);
  });

  test.each([
    ["needs_response", 1],
    ["under_review", 1],
    ["lost", 1],
    ["appeal_needs_response", 1],
    ["appeal_under_review", 1],
    ["won", 0],
    ["warning_needs_response", 0],
    ["warning_under_review", 0],
    ["warning_closed", 0],
  ])("counts a dispute that is %s: %i", async (status, count) => {
    const { gateway } = await holding([], [dispute({ status })]);
    expect(await gateway.takenBack("pi_1")).toHaveLength(count);
  });

  test.each([
    ["took the money", [-1000], 1],
    ["took it and gave it back", [-1000, 1000], 0],
    ["took nothing", [], 0],
  ])("counts a prevented dispute that %s", async (_, amounts, count) => {
    const balance_transactions = amounts.map((amount) => ({ amount }));
    const { gateway } = await holding([], [dispute({ status: "prevented", balance_transactions })]);
    expect(await gateway.takenBack("pi_1")).toHaveLength(count);
  });

  test("is counted in the books' minor unit", async () => {
    const { gateway } = await holding(
      [refund({ currency: "huf", amount: 1045 }), refund({ currency: "huf", amount: 45 })],
      [dispute({ currency: "isk", amount: 500 })],
    );
    const amounts = (await gateway.takenBack("pi_1")).map(({ amount }) => amount);
    expect(amounts).toEqual([10n, 5n]);
  });

  test("is unknown when Stripe fails", async () => {
    const { gateway } = await stripeServer(() => failure(500, { type: "api_error" }));
    await expect(gateway.takenBack("pi_1")).rejects.toThrow(OutcomeUnknown);
  });
});

describe("a refund", () => {
  test("is requested under its key, and stores it", async () => {
    const { gateway, requests } = await refunding({
      body: refund({ metadata: { key: "refund-1" } }),
    });
    expect(await gateway.refund(REFUND)).toEqual({
      gatewayId: "re_1",
      key: "refund-1",
      kind: "refund",
      amount: 400n,
    });
    const asked = requests.at(-1);
    expect(asked?.call).toBe(`POST ${REFUNDS}`);
    expect(asked?.headers["idempotency-key"]).toBe("refund-1");
    expect(asked?.params).toEqual({
      payment_intent: "pi_1",
      amount: "400",
      "metadata[key]": "refund-1",
    });
  });

  test("is sent in Stripe's minor unit of the payment's currency", async () => {
    const made = refund({ currency: "huf", amount: 40_000 });
    const { gateway, requests } = await refunding({ body: made }, "huf");
    expect(await gateway.refund(REFUND)).toMatchObject({ amount: 400n });
    expect(requests.at(-1)?.params["amount"]).toBe("40000");
  });

  test.each<[string, Answer, string]>([
    [
      "nothing is left",
      invalidRequest({
        code: "charge_already_refunded",
        message: "Charge ch_1 has already been refunded.",
      }),
      "Charge ch_1 has already been refunded.",
    ],
    [
      "less than that is left",
      invalidRequest({
        message: "Refund amount ($4.00) is greater than unrefunded amount on charge ($1.00)",
        param: "amount",
      }),
      "Refund amount ($4.00) is greater than unrefunded amount on charge ($1.00)",
    ],
    [
      "it failed at once",
      { body: refund({ status: "failed", failure_reason: "expired_or_canceled_card" }) },
      "The refund failed: expired_or_canceled_card",
    ],
  ])("is refused, with the reason, when %s", async (_, answer, reason) => {
    const { gateway } = await refunding(answer);
    expect(await gateway.refund(REFUND)).toEqual({ kind: "refused", reason });
  });

  test("is refused when Stripe knows no such payment", async () => {
    const { gateway } = await stripeServer(() => missing("intent", "pi_1"));
    expect(await gateway.refund(REFUND)).toEqual({
      kind: "refused",
      reason: "No such payment_intent: 'pi_1'",
    });
  });

  test("is refused, and not sent, when Stripe has no such amount", async () => {
    const { gateway, requests } = await refunding({ body: refund() }, "kwd");
    expect(await gateway.refund({ ...REFUND, amount: 401n })).toEqual({
      kind: "refused",
      reason: "Stripe cannot refund a fraction of the smallest unit in KWD",
    });
    expect(requests.map(({ call }) => call)).toEqual(["GET /v1/payment_intents/pi_1"]);
  });

  test.each<[string, Answer]>([
    ["Stripe fails", failure(500, { type: "api_error", message: "Failed." })],
    ["an earlier call with the key is under way", failure(409, { type: "idempotency_error" })],
    ["the secret key is refused", failure(401, { type: "invalid_request_error" })],
    ["the connection breaks", "breaks the connection"],
  ])("has an unknown outcome when %s", async (_, answer) => {
    const { gateway } = await refunding(answer);
    await expect(gateway.refund(REFUND)).rejects.toThrow(OutcomeUnknown);
  });

  test("has an unknown outcome when Stripe does not answer", async () => {
    const { gateway } = await refunding("says nothing", "usd", 200);
    await expect(gateway.refund(REFUND)).rejects.toThrow(OutcomeUnknown);
  });
});

async function holding(refunds: Listed, disputes: Listed): Promise<StripeServer> {
  return await stripeServer(({ call }) =>
    call.endsWith(REFUNDS) ? list(REFUNDS, refunds) : list(DISPUTES, disputes),
  );
}

/** The payment is there; a refund of it gets `answer`. */
async function refunding(
  answer: Answer,
  currency = "usd",
  timeoutMs?: number,
): Promise<StripeServer> {
  return await stripeServer(
    ({ call }) => (call === `POST ${REFUNDS}` ? answer : { body: intent({ currency }) }),
    timeoutMs,
  );
}

import { describe, expect, test } from "vitest";
import { OutcomeUnknown } from "../../../../services/top-up/gateways/payment-gateway.ts";
import { declineAs } from "../../../../services/top-up/gateways/stripe/declines.ts";
import type { Decline } from "../../../../shared/core/payments/decline.ts";
import { CHARGE, CREATED_AT, failure, intent, list, missing, OURS } from "./objects.ts";
import { stripeServer } from "./server.ts";

const LIST = "/v1/payment_intents";
const ANOTHER = { ...OURS, key: "another" };

describe("a charge is found by its key among the customer's charges", () => {
  test("from an hour before the books made it, without a search index that lags", async () => {
    const { gateway, requests } = await stripeServer(() =>
      list(LIST, [intent({ id: "pi_2", metadata: ANOTHER }), intent()]),
    );
    const made = { amount: 1_000n, currency: "USD", createdAt: expect.any(Number) };
    expect(await gateway.find(CHARGE)).toEqual({ kind: "succeeded", gatewayPayment: "pi_1", made });
    expect(requests.map(({ call }) => call)).toEqual([`GET ${LIST}`]);
    expect(requests[0]?.params).toEqual({
      customer: "cus_1",
      "created[gte]": String(CREATED_AT / 1000 - 3600),
      limit: "100",
    });
  });

  test("on any page", async () => {
    const others = [
      intent({ id: "pi_3", metadata: ANOTHER }),
      intent({ id: "pi_2", metadata: {} }),
    ];
    const { gateway, requests } = await stripeServer(({ params }) =>
      params["starting_after"] === "pi_2" ? list(LIST, [intent()]) : list(LIST, others, true),
    );
    expect(await gateway.find(CHARGE)).toMatchObject({ kind: "succeeded", gatewayPayment: "pi_1" });
    expect(requests).toHaveLength(2);
  });

  test("never made: null", async () => {
    const { gateway } = await stripeServer(() => list(LIST, [intent({ metadata: ANOTHER })]));
    expect(await gateway.find(CHARGE)).toBeNull();
  });

  test("for a customer unknown to Stripe: null, for nothing was charged", async () => {
    const { gateway } = await stripeServer(() => missing("customer", "cus_1"));
    expect(await gateway.find(CHARGE)).toBeNull();
  });

  test("made twice because Stripe forgot its key: as the one that took the money", async () => {
    const failed = intent({ id: "pi_2", ...declinedBy("insufficient_funds") });
    const { gateway } = await stripeServer(() => list(LIST, [failed, intent()]));
    expect(await gateway.find(CHARGE)).toMatchObject({ kind: "succeeded", gatewayPayment: "pi_1" });
  });
});

describe("a charge that was found is", () => {
  test.each([
    ["processing", { status: "processing" }, { kind: "processing" }],
    [
      "declined with the bank's code",
      declinedBy("insufficient_funds"),
      declined("soft", "insufficient_funds"),
    ],
    [
      "declined with Stripe's code where the bank gave none",
      {
        status: "requires_payment_method",
        last_payment_error: { type: "card_error", code: "expired_card" },
      },
      declined("hard", "expired_card"),
    ],
    [
      "declined when the customer has to approve it",
      { status: "requires_action" },
      declined("needs_customer", "authentication_required"),
    ],
    ["declined when it was canceled", { status: "canceled" }, declined("hard", "canceled")],
    [
      "declined when it was abandoned before the card was tried",
      { status: "requires_payment_method" },
      declined("soft", "not_confirmed"),
    ],
    [
      "declined when it was abandoned before it was confirmed",
      { status: "requires_confirmation" },
      declined("soft", "not_confirmed"),
    ],
  ])("%s", async (_, differently, state) => {
    const { gateway } = await stripeServer(() => list(LIST, [intent(differently)]));
    expect(await gateway.find(CHARGE)).toMatchObject({ gatewayPayment: "pi_1", ...state });
  });

  test.each(["requires_payment_method", "requires_confirmation"])(
    "processing while the call that made it may be under way: %s for a minute",
    async (status) => {
      const created = Math.floor(Date.now() / 1000) - 60;
      const { gateway } = await stripeServer(() => list(LIST, [intent({ status, created })]));
      expect(await gateway.find(CHARGE)).toMatchObject({
        kind: "processing",
        gatewayPayment: "pi_1",
      });
    },
  );
});

describe("whether there is a charge is unknown, never null, when", () => {
  test("Stripe fails", async () => {
    const { gateway } = await stripeServer(() => failure(500, { type: "api_error" }));
    await expect(gateway.find(CHARGE)).rejects.toThrow(OutcomeUnknown);
  });

  test("a later page cannot be read", async () => {
    const { gateway } = await stripeServer(({ params }) =>
      "starting_after" in params
        ? failure(503, { type: "api_error" })
        : list(LIST, [intent({ metadata: ANOTHER })], true),
    );
    await expect(gateway.find(CHARGE)).rejects.toThrow(OutcomeUnknown);
  });

  test("the list never ends", async () => {
    const page = Array.from({ length: 100 }, (_, index) =>
      intent({ id: `pi_${index}`, metadata: ANOTHER }),
    );
    const { gateway, requests } = await stripeServer(() => list(LIST, page, true));
    await expect(gateway.find(CHARGE)).rejects.toThrow(/too many to read/);
    expect(requests.length).toBeLessThanOrEqual(11);
  });

  test("its pages together take too long", async () => {
    let asked = 0;
    const { gateway } = await stripeServer(() => {
      asked += 1;
      return asked === 1 ? list(LIST, [intent({ metadata: ANOTHER })], true) : "says nothing";
    }, 200);
    await expect(gateway.find(CHARGE)).rejects.toThrow(OutcomeUnknown);
  });
});

describe("all charges of a period", () => {
  test("are ours that took money or are about to", async () => {
    const { gateway, requests } = await stripeServer(() =>
      list(LIST, [
        intent(),
        intent({ id: "pi_2", status: "processing", currency: "huf", amount: 100_000 }),
        intent({ id: "pi_3", ...declinedBy("insufficient_funds") }),
        intent({ id: "pi_4", metadata: {} }),
      ]),
    );
    const charges = await Array.fromAsync(gateway.listCharges(CREATED_AT, CREATED_AT + 1));
    const ours = { accountId: "acme", paymentId: "payment-1", key: "payment-1" };
    expect(charges).toEqual([
      {
        ...{ ...ours, gatewayPayment: "pi_1", amount: 1000n, currency: "USD" },
        createdAt: CREATED_AT,
      },
      {
        ...{ ...ours, gatewayPayment: "pi_2", amount: 1000n, currency: "HUF" },
        createdAt: CREATED_AT,
      },
    ]);
    expect(requests.map(({ params }) => params)).toEqual([
      {
        "created[gte]": String(CREATED_AT / 1000),
        "created[lt]": String(CREATED_AT / 1000 + 1),
        limit: "100",
      },
    ]);
  });

  test("include one whose call has made its intent and not charged it yet, which may still take money", async () => {
    const undecided = { status: "requires_payment_method", last_payment_error: null };
    const created = Math.floor(Date.now() / 1000);
    const { gateway } = await stripeServer(() =>
      list(LIST, [intent({ ...undecided, created }), intent({ id: "pi_2", ...undecided })]),
    );
    const charges = await Array.fromAsync(gateway.listCharges(CREATED_AT, Date.now()));
    expect(charges.map(({ gatewayPayment }) => gatewayPayment)).toEqual(["pi_1"]);
  });

  test.each([
    ["cannot be read", failure(503, { type: "api_error" })],
    ["comes in trickles", "answers in trickles" as const],
  ])("are unknown when a later page %s", async (_, answer) => {
    const { gateway } = await stripeServer(
      ({ params }) => ("starting_after" in params ? answer : list(LIST, [intent()], true)),
      200,
    );
    const charges = gateway.listCharges(CREATED_AT, CREATED_AT + 1);
    await expect(Array.fromAsync(charges)).rejects.toThrow(OutcomeUnknown);
  });
});

function declinedBy(decline_code: string) {
  return {
    status: "requires_payment_method",
    last_payment_error: { type: "card_error", code: "card_declined", decline_code },
  };
}

function declined(kind: Decline["kind"], code: string) {
  return { kind: "declined", decline: declineAs(kind, code) };
}

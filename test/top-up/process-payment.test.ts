/** An unknown outcome is asked about before anything else, however long ago the gateway was called. */
import { describe, expect, test } from "vitest";
import {
  type ChargeRequest,
  type ChargeState,
  OutcomeUnknown,
  type PaymentGateway,
} from "../../services/top-up/gateways/payment-gateway.ts";
import { paymentKey } from "../../services/top-up/payment-key.ts";
import { processPayment } from "../../services/top-up/process-payment.ts";
import type { ClaimedPayment } from "../../shared/ledger/payments/claim.ts";
import type { AttemptOutcome } from "../../shared/ledger/payments/settle.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { createLogger } from "../../shared/runtime/logger.ts";
import { MINUTE, NOON } from "../support/core/examples.ts";
import { topUpWith } from "../support/core/top-up-examples.ts";

const HOUR = 60 * MINUTE;
const PAID = { kind: "succeeded", gatewayPayment: "pay_1" } as const;
const NEVER_REACHED = { kind: "declined", decline: { reason: "never_reached" } };

describe("a payment that the gateway was called for", () => {
  test.each([
    { what: "a minute ago", ago: MINUTE },
    { what: "23 hours ago, when its key may be forgotten", ago: 23 * HOUR },
    { what: "three days ago", ago: 72 * HOUR },
  ])("$what, and that was charged, is found and not charged again", async ({ ago }) => {
    const { said, settled } = await processAgain(ago, PAID);
    expect(said).toEqual(["find"]);
    expect(settled).toEqual([PAID]);
  });

  test("and of which it has a charge with other terms, from books of before, ends as never reached", async () => {
    const made = { amount: 1n, currency: "USD", createdAt: NOON };
    const { said, settled } = await processAgain(MINUTE, { ...PAID, made });
    expect(said).toEqual(["find"]);
    expect(settled).toMatchObject([NEVER_REACHED]);
  });

  test("and that it does not know is charged under the same key while the gateway keeps keys", async () => {
    const { said, settled } = await processAgain(23 * HOUR - 1, null);
    expect(said).toEqual(["find", "charge"]);
    expect(settled).toEqual([PAID]);
  });

  test("and that it does not know after that ends as never reached, so that a new attempt has a new key", async () => {
    const { said, settled } = await processAgain(23 * HOUR, null);
    expect(said).toEqual(["find"]);
    expect(settled).toMatchObject([NEVER_REACHED]);
  });
});

describe("a payment that is sent for the first time", () => {
  const once = { calls: 1, attemptedAt: NOON };

  test("is charged, since the gateway still keeps any key of it", async () => {
    const { said } = await processAgain(23 * HOUR - 1, null, null, once);
    expect(said).toEqual(["charge"]);
  });

  test("and was stored longer ago is asked about first: books of before may have sent it, and it was declined", async () => {
    const decline = { kind: "soft", reason: null, code: "insufficient_funds" } as const;
    const declined = { kind: "declined", gatewayPayment: "pay_0", decline } as const;
    const { said, settled } = await processAgain(23 * HOUR, declined, null, once);
    expect(said).toEqual(["find"]);
    expect(settled).toEqual([declined]);
  });

  test.each([
    ["does not know", null],
    [
      "knows with other terms only",
      { ...PAID, made: { amount: 1n, currency: "USD", createdAt: NOON } },
    ],
  ])("and that the gateway %s is charged, however old it is", async (_, found) => {
    const { said, settled } = await processAgain(72 * HOUR, found, null, once);
    expect(said).toEqual(["find", "charge"]);
    expect(settled).toEqual([PAID]);
  });
});

test("a charge of before is due to be looked at for refunds before it is posted, so that no crash forgets them", async () => {
  const { amount, currency } = calledBefore(MINUTE).payment;
  const made = { amount, currency, createdAt: NOON - HOUR };
  const { settled, putOffBefore } = await processAgain(MINUTE, { ...PAID, made });
  expect([settled.length, putOffBefore]).toEqual([1, 1]);
});

test.each(["charge", "find"] as const)(
  "a call (%s) whose outcome is unknown settles nothing: the payment is put off",
  async (fails) => {
    const { settled, putOff } = await processAgain(MINUTE, null, fails);
    expect(settled).toEqual([]);
    expect(putOff).toBe(1);
  },
);

/** Processes a payment that was called for before, so long ago; `found` is what the gateway has of it. */
async function processAgain(
  ago: number,
  found: ChargeState | null,
  fails: "charge" | "find" | null = null,
  differently: Partial<ClaimedPayment> = {},
) {
  const claimed = { ...calledBefore(ago), ...differently };
  const said: string[] = [];
  const settled: AttemptOutcome["outcome"][] = [];
  let putOff = 0;
  let putOffBefore = 0;
  const call = async (
    what: "charge" | "find",
    { key }: ChargeRequest,
    state: ChargeState | null,
  ) => {
    expect(key).toBe(paymentKey(claimed));
    said.push(what);
    if (what === fails) throw new OutcomeUnknown("no answer");
    return state;
  };
  const gateway: Partial<PaymentGateway> = {
    charge: async (request) => (await call("charge", request, PAID)) ?? PAID,
    find: (request) => call("find", request, found),
  };
  await processPayment(
    {
      gateway: gateway as PaymentGateway,
      database: putOffBy(() => {
        putOff += 1;
      }),
      logger: createLogger("test", "silent"),
      now: () => NOON,
      async settle({ outcome }) {
        settled.push(outcome);
        putOffBefore = putOff;
        return { kind: "already_settled" };
      },
    },
    claimed,
  );
  return { said, settled, putOff, putOffBefore };
}

/** A database that only puts payments off, or makes them due. */
function putOffBy(putOff: () => void): Database {
  const query = async () => {
    putOff();
    return { rowCount: 1 };
  };
  return { query } as object as Database;
}

function calledBefore(ago: number): ClaimedPayment {
  return {
    payment: topUpWith({ status: "pending", createdAt: NOON - ago }),
    accountCreatedAt: NOON - 100 * HOUR,
    calls: 2,
    attemptedAt: NOON - ago,
    method: { customer: "cus_1", method: "card_1" },
    gatewayPayment: null,
    claimedUntil: NOON + MINUTE,
  };
}

import { describe, expect, test } from "vitest";
import { type Attempt, nextCall, recheckAt } from "../../../shared/core/payments/attempt.ts";
import { DAY, NOON } from "../../support/core/examples.ts";

const OLD = { customer: "cus_1", method: "card_1" };
const NEW = { customer: "cus_2", method: "card_2" };

const BEFORE: Attempt = {
  ...{ status: "pending", attempt: 1, calls: 1, attemptedAt: NOON, method: OLD },
  gatewayPayment: "pay_1",
};
const ANEW: Attempt = {
  ...{ status: "pending", attempt: 2, calls: 1, attemptedAt: NOON + DAY, method: NEW },
  gatewayPayment: null,
};
const AGAIN: Attempt = { ...BEFORE, calls: 2 };

describe("the next call of the gateway", () => {
  test.each<{ what: string; kind: "fee" | "top_up"; before: Partial<Attempt>; after: Attempt }>([
    {
      what: "the first takes the account's card",
      kind: "top_up",
      before: { calls: 0, method: null, gatewayPayment: null },
      after: { ...ANEW, attempt: 1 },
    },
    { what: "a repeat says the same as the first", kind: "fee", before: {}, after: AGAIN },
    {
      what: "a declined fee is tried anew",
      kind: "fee",
      before: { status: "retrying" },
      after: ANEW,
    },
    { what: "so is one that was given up", kind: "fee", before: { status: "failed" }, after: ANEW },
    {
      what: "a declined top-up is not",
      kind: "top_up",
      before: { status: "failed" },
      after: { ...AGAIN, status: "failed" },
    },
    {
      what: "one that succeeded is asked about as it was charged",
      kind: "fee",
      before: { status: "succeeded" },
      after: { ...AGAIN, status: "succeeded" },
    },
  ])("$what", ({ kind, before, after }) => {
    const now = NOON + DAY;
    expect(nextCall(kind, { ...BEFORE, ...before }, { now, method: NEW })).toEqual(after);
  });
});

describe("a payment that has succeeded is queried once more", () => {
  test.each([
    { calls: 1, nextTryAt: null, again: null },
    { calls: 1, nextTryAt: NOON + 1, again: null },
    { calls: 1, nextTryAt: NOON, again: NOON },
    { calls: 2, nextTryAt: NOON + 1, again: NOON },
  ])("after $calls calls, with the next try at $nextTryAt: $again", ({ again, ...payment }) => {
    expect(recheckAt(payment, NOON)).toBe(again);
  });
});

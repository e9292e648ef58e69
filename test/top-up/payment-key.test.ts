/**
 * A payment's key at the gateway is computed from the books alone: the same attempt has the same key,
 * whichever process computes it and when, and every other attempt, payment, account or set of books has
 * another. The keys of running systems are at the gateway: these values never change.
 */
import { describe, expect, test } from "vitest";
import { paymentKey, refundKey } from "../../services/top-up/payment-key.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import type { ClaimedPayment } from "../../shared/ledger/payments/claim.ts";
import { NOON } from "../support/core/examples.ts";
import { topUpWith } from "../support/core/top-up-examples.ts";

function claimed(
  payment: Parameters<typeof topUpWith>[0] = {},
  given: Partial<ClaimedPayment> = {},
): ClaimedPayment {
  return {
    payment: topUpWith(payment),
    accountCreatedAt: NOON,
    calls: 1,
    attemptedAt: NOON,
    method: { customer: "cus_1", method: "pm_1" },
    gatewayPayment: null,
    claimedUntil: NOON,
    ...given,
  };
}

test("the key of a payment has this value and keeps it", () => {
  expect(paymentKey(claimed())).toBe(
    "6fbba55867d9d278919d957a9f099807ffe535703f95ad5c10deddea7a38b8da",
  );
  expect(refundKey(claimed(), { refundId: "r-1" })).toBe(
    "c55554ae3f705751307e20c026d032ffba996a29ef8e338b608e9611faee1bbb",
  );
});

describe("the key of an attempt is the same", () => {
  test.each<{ when: string; again: ClaimedPayment }>([
    { when: "in another call", again: claimed({}, { calls: 7, claimedUntil: NOON + 60_000 }) },
    { when: "with another card", again: claimed({}, { method: { customer: "c", method: "m" } }) },
    { when: "once the gateway knows it", again: claimed({}, { gatewayPayment: "pi_1" }) },
    {
      when: "whatever its status and reason",
      again: claimed({ status: "succeeded", reason: "x" }),
    },
  ])("$when", ({ again }) => {
    expect(paymentKey(again)).toBe(paymentKey(claimed()));
  });
});

test("keys of other attempts, payments, accounts, books and refunds differ", () => {
  const keys = [
    paymentKey(claimed()),
    paymentKey(claimed({ attempt: 2 })),
    paymentKey(claimed({ paymentId: "low-balance:3:2" })),
    paymentKey(claimed({ paymentId: "low-balance:32" })),
    paymentKey(claimed({ accountId: toAccountId("acme2") })),
    // An account with the same id in other books.
    paymentKey(claimed({}, { accountCreatedAt: NOON + 1 })),
    // Parts that would be equal when joined.
    paymentKey(claimed({ accountId: toAccountId('a",1'), paymentId: "b" })),
    paymentKey(claimed({ accountId: toAccountId("a"), paymentId: '1,"b' })),
    refundKey(claimed(), { refundId: "r-1" }),
    refundKey(claimed(), { refundId: "r-2" }),
    refundKey(claimed({ paymentId: "manual:7" }), { refundId: "r-1" }),
    refundKey(claimed({}, { accountCreatedAt: NOON + 1 }), { refundId: "r-1" }),
    refundKey(claimed(), { refundId: "1" }),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});

test("a refund's key does not depend on the paid attempt", () => {
  const refund = { refundId: "r-1" };
  expect(refundKey(claimed({ attempt: 2 }), refund)).toBe(refundKey(claimed(), refund));
});

test("keys are short enough for any gateway, however long the ids are", () => {
  const long = "x".repeat(256);
  const key = paymentKey(claimed({ accountId: toAccountId(long), paymentId: `manual:${long}` }));
  expect(key).toMatch(/^[0-9a-f]{64}$/);
});

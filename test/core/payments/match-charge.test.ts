import { expect, test } from "vitest";
import { problemOf } from "../../../shared/core/payments/match-charge.ts";

const CHARGE = { gatewayPayment: "pay_1", amount: 1_000n, currency: "USD" };
const PAID = { ...CHARGE, status: "succeeded", calls: 1 } as const;
const UNNAMED = { ...PAID, status: "pending", gatewayPayment: null } as const;

test.each([
  { payment: null, problem: "no_payment" },
  { payment: PAID, problem: null },
  { payment: { ...PAID, status: "pending" as const }, problem: null },
  { payment: UNNAMED, problem: null },
  { payment: { ...UNNAMED, calls: 0 }, problem: "not_paid" },
  { payment: { ...UNNAMED, calls: 0, amount: 999n }, problem: "other_amount" },
  { payment: { ...PAID, status: "failed" as const }, problem: "not_paid" },
  { payment: { ...PAID, status: "retrying" as const }, problem: "not_paid" },
  { payment: { ...PAID, gatewayPayment: "pay_2" }, problem: "paid_by_another" },
  { payment: { ...PAID, gatewayPayment: null }, problem: "paid_by_another" },
  { payment: { ...PAID, amount: 999n }, problem: "other_amount" },
  { payment: { ...PAID, currency: "EUR" }, problem: "other_amount" },
])("a charge whose payment is $payment: $problem", ({ payment, problem }) => {
  expect(problemOf(CHARGE, payment)).toBe(problem);
});

import { expect, test } from "vitest";
import { isAutomatic } from "../../../shared/core/payments/payment.ts";

test.each([
  { paymentId: "low-balance:3", automatic: true },
  { paymentId: "low-balance:3:2", automatic: true },
  { paymentId: "manual:x", automatic: false },
  { paymentId: "manual:low-balance:3", automatic: false },
  { paymentId: "fee:1:0", automatic: false },
])("$paymentId is automatic: $automatic", ({ paymentId, automatic }) => {
  expect(isAutomatic({ paymentId })).toBe(automatic);
});

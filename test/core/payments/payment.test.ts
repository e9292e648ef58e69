/**
 * A payment's identity says what caused it, and the same cause is the same payment.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  automaticTopUpId,
  isAutomatic,
  lotOfTopUp,
  manualTopUpId,
} from "../../../shared/core/payments/payment.ts";

describe("the identity of an automatic top-up", () => {
  test.each([
    { crossing: 1n, before: 0, id: "low-balance:1" },
    { crossing: 1n, before: 1, id: "low-balance:1:2" },
    { crossing: 1n, before: 9, id: "low-balance:1:10" },
    { crossing: 12n, before: 0, id: "low-balance:12" },
  ])("of crossing $crossing, $before declined before, is $id", ({ crossing, before, id }) => {
    expect(automaticTopUpId(crossing, before)).toBe(id);
  });

  test("is another for each crossing and each try of it", () => {
    const cause = fc.tuple(fc.bigInt(1n, 10n ** 6n), fc.nat(1_000));
    fc.assert(
      fc.property(cause, cause, (one, other) => {
        const same = one[0] === other[0] && one[1] === other[1];
        expect(automaticTopUpId(...one) === automaticTopUpId(...other)).toBe(same);
      }),
    );
  });
});

describe("a top-up by hand", () => {
  test("is known by its key, whatever that is, and never taken for an automatic one", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (key, other) => {
        const paymentId = manualTopUpId(key);
        expect(isAutomatic({ paymentId })).toBe(false);
        expect(manualTopUpId(other) === paymentId).toBe(other === key);
      }),
    );
    expect(isAutomatic({ paymentId: manualTopUpId("low-balance:3") })).toBe(false);
  });
});

test.each([
  { paymentId: "low-balance:3", automatic: true },
  { paymentId: "low-balance:3:2", automatic: true },
  { paymentId: "manual:x", automatic: false },
  { paymentId: "fee:1:0", automatic: false },
])("$paymentId is automatic: $automatic", ({ paymentId, automatic }) => {
  expect(isAutomatic({ paymentId })).toBe(automatic);
});

test("a top-up's lot is named after it", () => {
  expect(lotOfTopUp({ paymentId: "low-balance:3:2" })).toBe("top-up:low-balance:3:2");
  expect(lotOfTopUp({ paymentId: manualTopUpId("a") })).toBe("top-up:manual:a");
});

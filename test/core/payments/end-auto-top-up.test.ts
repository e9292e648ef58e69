/**
 * Auto top-up ends with the subscription, unless the customer keeps it, and stops as the payment method is
 * removed.
 */
import { describe, expect, test } from "vitest";
import {
  ENDED_WITH_SUBSCRIPTION,
  endAutoTopUp,
  stopWithoutMethod,
} from "../../../shared/core/payments/end-auto-top-up.ts";
import { DAY, NOON } from "../../support/core/examples.ts";
import { autoWith } from "../../support/core/top-up-examples.ts";

const USD = { currency: "USD", minimumCharge: 50n, defaultCeilings: null };
const END = { sequence: 4 };

describe("when the subscription ends, auto top-up", () => {
  test("is off, says why, and publishes that it has stopped", () => {
    const before = autoWith({ amount: 2_500n, pausedUntil: NOON + DAY, lookAt: NOON + DAY });
    expect(endAutoTopUp(before, END, USD)).toEqual({
      auto: {
        ...before,
        ...{ enabled: false, stopped: ENDED_WITH_SUBSCRIPTION, pausedUntil: null, lookAt: null },
      },
      notices: [
        {
          ...{ topUpId: "subscription-end:4", status: "stopped", amount: 2_500n, currency: "USD" },
          ...{ credits: 0n, reason: ENDED_WITH_SUBSCRIPTION },
        },
      ],
    });
  });

  test("ends too where it is stopped already, since a new card would start it again", () => {
    const stopped = autoWith({ stopped: "The card has expired." });
    expect(endAutoTopUp(stopped, END, USD)).toMatchObject({ auto: { enabled: false } });
  });

  test.each([
    { which: "is off already", before: autoWith({ enabled: false }) },
    { which: "the customer keeps", before: autoWith({ keepAfterSubscription: true }) },
  ])("stays as it is if it $which", ({ before }) => {
    expect(endAutoTopUp(before, END, USD)).toBe(null);
  });
});

describe("when the payment method is removed, auto top-up", () => {
  const REASON = "There is no payment method; add one to pay.";

  test("stops, says why, and publishes it", () => {
    const before = autoWith({ amount: 2_500n, pausedUntil: NOON + DAY, lookAt: NOON + DAY });
    expect(stopWithoutMethod(before, END, USD)).toEqual({
      auto: { ...before, stopped: REASON, pausedUntil: null, lookAt: null },
      notices: [
        {
          ...{ topUpId: "payment-method-removal:4", status: "stopped", amount: 2_500n },
          ...{ currency: "USD", credits: 0n, reason: REASON },
        },
      ],
    });
  });

  test.each([
    { which: "is off", before: autoWith({ enabled: false }) },
    { which: "has stopped", before: autoWith({ stopped: "The card has expired." }) },
  ])("stays as it is if it $which", ({ before }) => {
    expect(stopWithoutMethod(before, END, USD)).toBe(null);
  });
});

import { describe, expect, test } from "vitest";
import type { Schedule, Subscription } from "../../../shared/core/month/subscription.ts";
import { EMPTY_SCHEDULE } from "../../../shared/core/month/subscription.ts";
import { shortageOf } from "../../../shared/core/payments/shortage.ts";
import { NOON } from "../../support/core/examples.ts";
import { autoWith, contextWith } from "../../support/core/top-up-examples.ts";

/** Why an account has too few credits, and when that may change by itself. */
const TURN = Date.UTC(2026, 11, 1);

const shortOf = (
  given: Parameters<typeof contextWith>[0] = {},
  subscription: Partial<Subscription> | null = null,
) => shortageOf({ ...contextWith(given), schedule: scheduleWith(subscription) });

function scheduleWith(given: Partial<Subscription> | null): Schedule {
  if (given === null) return EMPTY_SCHEDULE;
  const subscription: Subscription = {
    ...{ number: 1, planId: "pro", interval: "month", renewal: "first_of_month" },
    ...{ anchor: { kind: "first_of_month", at: NOON }, subscribedAt: NOON, period: 0 },
    ...{ nextPeriodAt: TURN, firstPart: null, periodCredits: 0n, paidUntil: 1, paidPrice: 0n },
    ...{ nextPlanId: null, nextInterval: null, cancelled: false, withheld: null },
    ...given,
  } as unknown as Subscription;
  return { ...EMPTY_SCHEDULE, subscription };
}

describe("a shortage without a subscription", () => {
  test.each([
    ["a top-up under way", { inFlight: true }, { why: "top_up_under_way", topUpAt: null }],
    [
      "auto top-up off",
      { auto: autoWith({ enabled: false }) },
      { why: "no_credits", topUpAt: null },
    ],
    [
      "auto top-up stopped",
      { auto: autoWith({ stopped: "The card was declined." }) },
      { why: "top_up_stopped", topUpAt: null },
    ],
    ["no payment method", { hasMethod: false }, { why: "top_up_stopped", topUpAt: null }],
    [
      "auto top-up paused",
      { auto: autoWith({ pausedUntil: NOON + 1 }) },
      { why: "top_up_paused", topUpAt: NOON + 1 },
    ],
    [
      "the limit of the day",
      { auto: autoWith({ pausedUntil: NOON + 1 }), spent: { today: 9_001n, thisMonth: 9_001n } },
      { why: "top_up_at_limit", topUpAt: Date.UTC(2026, 10, 23) },
    ],
    [
      "the limit of the month",
      { spent: { today: 0n, thisMonth: 49_001n } },
      { why: "top_up_at_limit", topUpAt: TURN },
    ],
    ["auto top-up on and nothing needed yet", {}, { why: "no_credits", topUpAt: null }],
  ] as const)("is, with %s", (_, given, why) => {
    expect(shortOf(given)).toEqual({ ...why, nextCreditsAt: null });
  });
});

describe("the next turn of the month brings credits", () => {
  test("with a subscription that goes on", () => {
    expect(shortOf({}, {}).nextCreditsAt).toBe(TURN);
    expect(shortOf({}, { cancelled: true, paidUntil: 2 }).nextCreditsAt).toBe(TURN);
  });

  test("not with one that is suspended, or that ends with the month", () => {
    expect(shortOf({}, { withheld: [1] }).nextCreditsAt).toBeNull();
    expect(shortOf({}, { cancelled: true, paidUntil: 1 }).nextCreditsAt).toBeNull();
  });
});

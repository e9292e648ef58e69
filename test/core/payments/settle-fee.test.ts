import { describe, expect, test } from "vitest";
import { feeDeclined, keepsSuspended } from "../../../shared/core/payments/settle-fee.ts";
import { DAY, NOON } from "../../support/core/examples.ts";

describe("a declined fee is tried again 1, 3, 5 and 7 days after it fell due, and then given up", () => {
  test.each([
    { attempt: 1, declinedOnDay: 0, nextOnDay: 1 },
    { attempt: 2, declinedOnDay: 1, nextOnDay: 3 },
    { attempt: 3, declinedOnDay: 3, nextOnDay: 5 },
    { attempt: 4, declinedOnDay: 5, nextOnDay: 7 },
  ])("attempt $attempt, on day $declinedOnDay: again on day $nextOnDay", (row) => {
    const fee = { attempt: row.attempt, brings: null };
    expect(feeDeclined(fee, false, NOON + row.declinedOnDay * DAY)).toEqual({
      status: "retrying",
      nextTryAt: NOON + row.nextOnDay * DAY,
    });
  });

  test.each([5, 6, 100])("attempt %s: given up", (attempt) => {
    const fee = { attempt, brings: null };
    expect(feeDeclined(fee, true, NOON)).toEqual({ status: "failed", nextTryAt: null });
  });

  test("one that would bring credits is not tried again once its subscription has ended", () => {
    const fee = {
      attempt: 1,
      brings: { lotId: "l", credits: 1n, life: { kind: "usual" } },
    } as const;
    expect(feeDeclined(fee, true, NOON).status).toBe("retrying");
    expect(feeDeclined(fee, false, NOON)).toEqual({ status: "failed", nextTryAt: null });
  });
});

test.each([
  { status: "pending", attempt: 5, keeps: false },
  { status: "pending", attempt: 6, keeps: true },
  { status: "failed", attempt: 5, keeps: true },
  { status: "retrying", attempt: 2, keeps: false },
  { status: "succeeded", attempt: 6, keeps: false },
] as const)(
  "a fee with status $status in attempt $attempt keeps its subscription suspended: $keeps",
  (fee) => {
    expect(keepsSuspended(fee)).toBe(fee.keeps);
  },
);

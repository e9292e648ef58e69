/**
 * - a balance at the threshold is low, one above it is not
 * - once published, it is not published again until a grant arms the account
 * - crossings count up by one
 *
 * meter-usage-histories.test.ts checks against the reference model that each crossing is published
 * exactly once, whatever crosses.
 */
import { describe, expect, test } from "vitest";
import { hasCrossed, rearm, recordLowBalance } from "../../../shared/core/line/low-balance.ts";
import { accountWith, NOON } from "../../support/core/examples.ts";

describe("a balance is low", () => {
  test.each([
    { granted: 10n, position: 7n, threshold: 2n, low: false },
    { granted: 10n, position: 8n, threshold: 2n, low: true },
    { granted: 10n, position: 9n, threshold: 2n, low: true },
    { granted: 10n, position: 10n, threshold: 0n, low: true },
    { granted: 10n, position: 9n, threshold: 0n, low: false },
    { granted: 10n, position: 14n, threshold: 0n, low: true },
    { granted: 10n, position: 14n, threshold: -5n, low: false },
  ])("$low: $position of $granted drawn, threshold $threshold", ({ low, ...given }) => {
    expect(hasCrossed(accountWith(given))).toBe(low);
  });

  test("but not published again while it stays low", () => {
    expect(hasCrossed(accountWith({ granted: 10n, position: 12n, lowBalance: true }))).toBe(false);
  });
});

test("a published low balance is counted, and names what crossed and the balance then", () => {
  const before = accountWith({ granted: 10n, position: 9n, threshold: 3n, crossings: 4n });
  expect(recordLowBalance(before, "event:e7", NOON)).toEqual({
    account: { ...before, lowBalance: true, crossings: 5n },
    lowBalance: {
      accountId: "acme",
      crossing: 5n,
      balance: 1n,
      threshold: 3n,
      cause: "event:e7",
      occurredAt: NOON,
    },
  });
});

describe("after a grant", () => {
  test("an account published as low is armed again", () => {
    const low = accountWith({ granted: 10n, position: 4n, lowBalance: true, crossings: 1n });
    expect(rearm(low)).toEqual({ ...low, lowBalance: false });
    expect(hasCrossed(rearm(low))).toBe(false);
  });

  test("one that is still low is armed too, and published again", () => {
    const low = accountWith({ granted: 10n, position: 14n, lowBalance: true, crossings: 1n });
    expect(hasCrossed(rearm(low))).toBe(true);
  });

  test("one that was not low is unchanged", () => {
    const well = accountWith({ granted: 10n });
    expect(rearm(well)).toBe(well);
  });
});

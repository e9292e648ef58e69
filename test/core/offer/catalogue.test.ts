/**
 * - a version holds from its instant on, until the next one does
 * - a lot's life is two months, another number of months, or without end
 */
import { describe, expect, test } from "vitest";
import {
  addOnAt,
  type CreditPrice,
  EMPTY_CATALOGUE,
  planAt,
  versionAt,
} from "../../../shared/core/offer/catalogue.ts";
import { CATALOGUE } from "../month/account-in-play.ts";

describe("the version that holds", () => {
  const usd = { currency: "USD", life: { kind: "usual" } } as const;
  const prices: readonly CreditPrice[] = [
    { ...usd, validFrom: 100, credits: 10n },
    { ...usd, validFrom: 200, credits: 20n },
    { ...usd, validFrom: 300, credits: 30n },
  ];

  test.each([
    { at: 99, credits: undefined },
    { at: 100, credits: 10n },
    { at: 199, credits: 10n },
    { at: 200, credits: 20n },
    { at: 9_999, credits: 30n },
  ])("at $at is the one of $credits", ({ at, credits }) => {
    expect(versionAt(prices, at)?.credits).toBe(credits);
  });

  test("is none for what was never offered", () => {
    expect(versionAt(undefined, 100)).toBe(null);
    expect(planAt(EMPTY_CATALOGUE, "small", 100)).toBe(null);
    expect(addOnAt(EMPTY_CATALOGUE, "voice", 100)).toBe(null);
  });

  test("of a plan or an add-on is found by its id", () => {
    const day = Date.parse("2026-03-15T00:00Z");
    expect(planAt(CATALOGUE, "growing", day - 1)?.credits).toBe(50n);
    expect(planAt(CATALOGUE, "growing", day)?.credits).toBe(150n);
    expect(addOnAt(CATALOGUE, "voice", day)?.credits).toBe(20n);
  });
});

/**
 * - lots are drawn at the pace, oldest first; what is left of one when it ends is lost
 * - credits last until the last of them is used or has ended
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Pace, runwayOf } from "../../../shared/core/history/runway.ts";
import type { Lot } from "../../../shared/core/line/account.ts";
import { DAY, lotOf, NOON } from "../../support/core/examples.ts";

/** Lots end to end: the credits of each, and in how many days they expire (null: never). */
function lotsOf(...lots: readonly (readonly [credits: bigint, days: number | null])[]): Lot[] {
  let start = 0n;
  return lots.map(([credits, days], at) => {
    const lot = lotOf(
      `lot-${at}`,
      start,
      start + credits,
      days === null ? null : NOON + days * DAY,
    );
    start += credits;
    return lot;
  });
}

const perDay = (credits: bigint): Pace => ({ credits, perMs: DAY });

/** How many days the credits last, and how many are lost. */
function runway(lots: readonly Lot[], pace: Pace, position = 0n) {
  const { lastsUntil, expiresUnused } = runwayOf(lots, { position, now: NOON }, pace);
  return { days: lastsUntil === null ? null : (lastsUntil - NOON) / DAY, lost: expiresUnused };
}

describe("at 10 credits a day", () => {
  test.each([
    { what: "nothing lasts no time", lots: lotsOf(), days: 0, lost: 0n },
    { what: "a lot that never ends", lots: lotsOf([100n, null]), days: 10, lost: 0n },
    { what: "a lot that ends as it is used up", lots: lotsOf([100n, 10]), days: 10, lost: 0n },
    { what: "a lot that ends before", lots: lotsOf([100n, 4]), days: 4, lost: 60n },
    { what: "a lot that has ended does not count", lots: lotsOf([100n, -1]), days: 0, lost: 0n },
    { what: "one after the other", lots: lotsOf([30n, 5], [50n, null]), days: 8, lost: 0n },
    {
      what: "the next goes on where one ends",
      lots: lotsOf([100n, 4], [50n, 20]),
      days: 9,
      lost: 60n,
    },
    {
      what: "the second ends while the first is used",
      lots: lotsOf([100n, null], [50n, 3]),
      days: 10,
      lost: 50n,
    },
    {
      what: "the second ends half used",
      lots: lotsOf([30n, 9], [50n, 5], [20n, null]),
      days: 7,
      lost: 30n,
    },
  ])("$what", ({ lots, days, lost }) => {
    expect(runway(lots, perDay(10n))).toEqual({ days, lost });
  });

  test("what is already drawn does not count", () => {
    const lots = lotsOf([30n, 2], [50n, null]);
    expect(runway(lots, perDay(10n), 25n)).toEqual({ days: 5.5, lost: 0n });
    expect(runway(lots, perDay(10n), 80n)).toEqual({ days: 0, lost: 0n });
    expect(runway(lots, perDay(10n), 200n)).toEqual({ days: 0, lost: 0n });
  });
});

test("without usage credits last, but those that expire are lost", () => {
  const lots = lotsOf([30n, 5], [50n, null], [7n, 40]);
  expect(runway(lots, { credits: 0n, perMs: DAY })).toEqual({ days: null, lost: 37n });
  expect(runway(lots, { credits: 0n, perMs: DAY }, 10n)).toEqual({ days: null, lost: 27n });
});

test("a runway is at most ten years", () => {
  expect(runway(lotsOf([3_650n, null]), perDay(1n)).days).toBe(3_650);
  expect(runway(lotsOf([3_661n, null]), perDay(1n)).days).toBe(null);
});

test("it equals a day-by-day simulation", () => {
  const lot = fc.tuple(fc.bigInt(1n, 60n), fc.option(fc.integer({ min: -2, max: 25 })));
  fc.assert(
    fc.property(fc.array(lot, { maxLength: 6 }), fc.bigInt(0n, 80n), (given, position) => {
      const lots = lotsOf(...given.map(([credits, days]) => [credits * 3n, days] as const));
      expect(runway(lots, perDay(3n), position * 3n)).toEqual(dayByDay(lots, 3n, position * 3n));
    }),
  );
});

/**
 * Each day: what has expired is lost, then a day's usage is drawn from the oldest lot with something
 * left.
 */
function dayByDay(lots: readonly Lot[], pace: bigint, position: bigint) {
  const left = lots.map(({ start, end, expiresAt }) => ({
    credits: end - (start > position ? start : position > end ? end : position),
    expiresAt,
  }));
  let lost = 0n;
  for (let days = 0; ; days += 1) {
    for (const lot of left) {
      if (lot.expiresAt === null || lot.expiresAt > NOON + days * DAY) continue;
      // What has ended already is gone, and not lost from now on.
      if (lot.expiresAt > NOON) lost += lot.credits;
      lot.credits = 0n;
    }
    const [oldest] = left.filter(({ credits }) => credits > 0n);
    if (oldest === undefined) return { days, lost };
    oldest.credits -= pace;
  }
}

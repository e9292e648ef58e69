/**
 * - a lot lives two months, another number of months, or without end; one granted in mid-period from its
 *   grant, one of a turn until the start of a period
 * - its expiry is posted once usage before its end is complete, by the account's own events or by
 *   metering's progress
 */
import { describe, expect, test } from "vitest";
import {
  endOfLot,
  endOfTurnsLot,
  uptoClock,
  usageBefore,
} from "../../../shared/core/month/expiry.ts";

describe("a lot ends", () => {
  const granted = Date.parse("2026-01-31T22:00:00Z");
  const anchor = { renewal: "first_of_month", date: "2026-01-01" } as const;

  test.each([
    { life: { kind: "usual" }, midPeriod: "2026-03-31T22:00:00Z", turns: "2026-06-01T00:00:00Z" },
    {
      life: { kind: "months", months: 1 },
      midPeriod: "2026-02-28T22:00:00Z",
      turns: "2026-05-01T00:00:00Z",
    },
    {
      life: { kind: "months", months: 12 },
      midPeriod: "2027-01-31T22:00:00Z",
      turns: "2027-04-01T00:00:00Z",
    },
  ] as const)("its life $life later: after its grant, or as that period begins", (lot) => {
    const { life, midPeriod, turns } = lot;
    expect(endOfLot(life, granted, "UTC")).toBe(Date.parse(midPeriod));
    expect(endOfTurnsLot(life, { anchor, period: 3 }, "UTC")).toBe(Date.parse(turns));
  });

  test("never, when its life has no end", () => {
    expect(endOfLot({ kind: "never" }, granted, "UTC")).toBe(null);
    expect(endOfTurnsLot({ kind: "never" }, { anchor, period: 3 }, "UTC")).toBe(null);
  });

  test("at the instant named by the grant", () => {
    expect(endOfLot({ kind: "at", at: granted + 1 }, granted, "UTC")).toBe(granted + 1);
  });

  test("by the calendar of the account's time zone", () => {
    // It is already the first of February in Tokyo.
    expect(endOfLot({ kind: "usual" }, granted, "Asia/Tokyo")).toBe(
      Date.parse("2026-03-31T22:00:00Z"),
    );
    expect(endOfTurnsLot({ kind: "usual" }, { anchor, period: 3 }, "Asia/Tokyo")).toBe(
      Date.parse("2026-05-31T15:00:00Z"),
    );
  });
});

describe("usage before an instant is complete", () => {
  test.each([
    { occurredAt: 90, clock: 100, completeUntil: null, is: 90, why: "as far as the event says" },
    { occurredAt: 90, clock: 100, completeUntil: 40, is: 90, why: "further than all usage is" },
    { occurredAt: 30, clock: 100, completeUntil: 40, is: 40, why: "as far as all usage is" },
    { occurredAt: 103, clock: 100, completeUntil: 40, is: 100, why: "but not beyond the clock" },
  ])("$why: $is", ({ occurredAt, clock, completeUntil, is }) => {
    expect(usageBefore(occurredAt, clock, completeUntil)).toBe(is);
  });

  test("is known from what metering has read alone where no event shows more, and not before it has read", () => {
    expect(uptoClock(100, 40).usage).toBe(40);
    expect(uptoClock(100, null).usage).toBe(Number.NEGATIVE_INFINITY);
  });
});

/**
 * - the day stays, clamped at the month's end, and the local time stays
 * - counted from the anchor, so 31 Jan, 28 Feb, 31 Mar
 * - a local time that the clock skips is as much later as the skip; of one shown twice, the first
 * - an hour starts where its zone's clock turns it, and everything in it has the same start
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hourOf, isTimeZone, LOT_LIFE_MONTHS, monthsAfter } from "../../shared/core/months.ts";

const HOUR = 3_600_000;

describe("months after an instant", () => {
  test.each([
    { from: "2026-01-15T10:30:00Z", months: 1, zone: "UTC", is: "2026-02-15T10:30:00Z" },
    { from: "2026-01-31T00:00:00Z", months: 1, zone: "UTC", is: "2026-02-28T00:00:00Z" },
    { from: "2026-01-31T00:00:00Z", months: 2, zone: "UTC", is: "2026-03-31T00:00:00Z" },
    { from: "2028-01-31T00:00:00Z", months: 1, zone: "UTC", is: "2028-02-29T00:00:00Z" },
    { from: "2028-02-29T00:00:00Z", months: 12, zone: "UTC", is: "2029-02-28T00:00:00Z" },
    { from: "2028-02-29T00:00:00Z", months: 48, zone: "UTC", is: "2032-02-29T00:00:00Z" },
    { from: "2000-02-29T00:00:00Z", months: 1200, zone: "UTC", is: "2100-02-28T00:00:00Z" },
    { from: "2026-12-31T23:59:59.999Z", months: 2, zone: "UTC", is: "2027-02-28T23:59:59.999Z" },
    { from: "2026-01-31T00:00:00Z", months: 0, zone: "UTC", is: "2026-01-31T00:00:00Z" },
    { from: "2026-05-31T00:00:00Z", months: 1, zone: "UTC", is: "2026-06-30T00:00:00Z" },
  ])("$from + $months in $zone is $is", expectMonths);
});

describe("months in a zone keep the local time", () => {
  test.each([
    // Still January in UTC, February already in Auckland.
    {
      from: "2026-01-31T11:30:00Z",
      months: 1,
      zone: "Pacific/Auckland",
      is: "2026-02-28T11:30:00Z",
    },
    {
      from: "2026-02-15T09:00:00+01:00",
      months: 2,
      zone: "Europe/Berlin",
      is: "2026-04-15T09:00:00+02:00",
    },
    {
      from: "2026-09-15T09:00:00+02:00",
      months: 2,
      zone: "Europe/Berlin",
      is: "2026-11-15T09:00:00+01:00",
    },
    {
      from: "2026-01-31T18:30:00+05:45",
      months: 1,
      zone: "Asia/Kathmandu",
      is: "2026-02-28T18:30:00+05:45",
    },
  ])("$from + $months in $zone is $is", expectMonths);
});

describe("a local time that the clock skips is as much later as the skip", () => {
  test.each([
    // 02:00 to 03:00 on 8 March.
    {
      from: "2026-02-08T02:30:00-05:00",
      months: 1,
      zone: "America/New_York",
      is: "2026-03-08T03:30:00-04:00",
    },
    {
      from: "2026-01-29T02:15:00+01:00",
      months: 2,
      zone: "Europe/Berlin",
      is: "2026-03-29T03:15:00+02:00",
    },
    // Half an hour, 02:00 to 02:30 on 4 October.
    {
      from: "2026-08-04T02:10:00+10:30",
      months: 2,
      zone: "Australia/Lord_Howe",
      is: "2026-10-04T02:40:00+11:00",
    },
    // Midnight itself, 6 September.
    {
      from: "2026-07-06T00:00:00-04:00",
      months: 2,
      zone: "America/Santiago",
      is: "2026-09-06T01:00:00-03:00",
    },
    // All of 30 December 2011.
    {
      from: "2011-11-30T09:00:00-10:00",
      months: 1,
      zone: "Pacific/Apia",
      is: "2011-12-31T09:00:00+14:00",
    },
  ])("$from + $months in $zone is $is", expectMonths);
});

describe("of a local time shown twice it is the first", () => {
  test.each([
    {
      from: "2026-10-01T01:30:00-04:00",
      months: 1,
      zone: "America/New_York",
      is: "2026-11-01T01:30:00-04:00",
    },
    {
      from: "2026-08-25T02:30:00+02:00",
      months: 2,
      zone: "Europe/Berlin",
      is: "2026-10-25T02:30:00+02:00",
    },
    // The clock goes back at midnight, so 23:30 comes twice on 4 April.
    {
      from: "2026-02-04T23:30:00-03:00",
      months: 2,
      zone: "America/Santiago",
      is: "2026-04-04T23:30:00-03:00",
    },
  ])("$from + $months in $zone is $is", expectMonths);
});

test("a month more is always later", () => {
  const zones = fc.constantFrom("UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago");
  const instant = fc.integer({ min: Date.UTC(2015, 0, 1), max: Date.UTC(2040, 0, 1) });
  fc.assert(
    fc.property(instant, fc.nat(24), zones, (from, months, zone) => {
      const end = monthsAfter(from, months, zone);
      expect(end).toBeGreaterThanOrEqual(from);
      expect(monthsAfter(from, months + 1, zone)).toBeGreaterThan(end);
    }),
  );
});

test("a lot lives two months unless said otherwise", () => {
  expect(LOT_LIFE_MONTHS).toBe(2);
});

describe("the hour of a zone", () => {
  test.each([
    { at: "2026-11-22T12:00:00Z", zone: "UTC", is: "2026-11-22T12:00:00Z" },
    { at: "2026-11-22T12:59:59.999Z", zone: "UTC", is: "2026-11-22T12:00:00Z" },
    { at: "2026-11-22T12:29:59.999Z", zone: "Asia/Kolkata", is: "2026-11-22T11:30:00Z" },
    { at: "2026-11-22T12:30:00Z", zone: "Asia/Kolkata", is: "2026-11-22T12:30:00Z" },
    { at: "2026-11-22T12:14:59Z", zone: "Asia/Kathmandu", is: "2026-11-22T11:15:00Z" },
    { at: "2026-11-22T12:15:00Z", zone: "Asia/Kathmandu", is: "2026-11-22T12:15:00Z" },
    // 01:30 comes twice: two hours.
    { at: "2026-11-01T01:30:00-04:00", zone: "America/New_York", is: "2026-11-01T01:00:00-04:00" },
    { at: "2026-11-01T01:30:00-05:00", zone: "America/New_York", is: "2026-11-01T01:00:00-05:00" },
  ])("in which $at lies in $zone began at $is", ({ at, zone, is }) => {
    expect(iso(hourOf(Date.parse(at), zone))).toBe(iso(Date.parse(is)));
  });

  test("starts itself, is at most an hour ago, and is a full hour on the zone's clock", () => {
    const zones = fc.constantFrom(
      "UTC",
      "Europe/Berlin",
      "Asia/Kolkata",
      "Asia/Kathmandu",
      "America/Caracas",
    );
    const instant = fc.integer({ min: Date.UTC(2006, 0, 1), max: Date.UTC(2040, 0, 1) });
    fc.assert(
      fc.property(instant, zones, (at, zone) => {
        const hour = hourOf(at, zone);
        expect(hour <= at && at < hour + HOUR).toBe(true);
        expect(hourOf(hour, zone)).toBe(hour);
        const shown = new Intl.DateTimeFormat("en-GB", {
          timeZone: zone,
          minute: "2-digit",
          second: "2-digit",
        });
        const minutes = shown.formatToParts(hour).filter(({ type }) => type === "minute");
        expect(minutes.map(({ value }) => Number(value))).toEqual([0]);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    // 02:00 becomes 02:30: the hour begins with the jump.
    { at: "2026-10-03T15:40:00Z", zone: "Australia/Lord_Howe", is: "2026-10-03T15:30:00Z" },
    // 02:00 becomes 01:30: what comes after still belongs to the hour that began at 01:00.
    { at: "2026-04-04T15:10:00Z", zone: "Australia/Lord_Howe", is: "2026-04-04T14:00:00Z" },
  ])("in which $at lies in $zone began at $is", ({ at, zone, is }) => {
    expect(iso(hourOf(Date.parse(at), zone))).toBe(iso(Date.parse(is)));
  });

  test("does not depend on what was asked before", () => {
    const [first, second] = [
      Date.parse("2026-11-22T12:29:00Z"),
      Date.parse("2026-11-22T12:31:00Z"),
    ];
    const alone = [first, second].map((at) => hourOf(at, "Asia/Kolkata"));
    hourOf(first, "Europe/Berlin");
    expect([second, first].map((at) => hourOf(at, "Asia/Kolkata"))).toEqual(alone.toReversed());
  });
});

describe("a time zone is known", () => {
  test.each([
    { zone: "UTC", known: true },
    { zone: "Europe/Berlin", known: true },
    { zone: "America/Argentina/Buenos_Aires", known: true },
    { zone: "Mars/Olympus_Mons", known: false },
    { zone: "", known: false },
    { zone: "local", known: false },
    { zone: "+02:00", known: false },
    { zone: "2026-01-01T00:00+01:00[Europe/Berlin]", known: false },
  ])("$known: '$zone'", ({ zone, known }) => {
    expect(isTimeZone(zone)).toBe(known);
  });
});

function expectMonths(given: { from: string; months: number; zone: string; is: string }): void {
  const end = monthsAfter(Date.parse(given.from), given.months, given.zone);
  expect(iso(end)).toBe(iso(Date.parse(given.is)));
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}

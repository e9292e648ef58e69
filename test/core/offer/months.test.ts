/**
 * - the day stays, clamped at the month's end, and the local time stays
 * - counted from the anchor, so 31 Jan, 28 Feb, 31 Mar
 * - a local time that the clock skips is later by the length of the skip; of one shown twice, the first
 * - an hour starts where its zone's clock starts it, and everything in it has the same start
 * - a day and a month begin at their first instant, also where midnight does not exist or comes twice,
 *   and stay begun, whatever the clock shows again
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  hourOf,
  isTimeZone,
  monthsAfter,
  startOfDay,
  startOfMonth,
  startOfNextDay,
  startOfNextMonth,
} from "../../../shared/core/offer/months.ts";

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

describe("a local time that the clock skips is later by the length of the skip", () => {
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

describe("the first of a local time shown twice is taken", () => {
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

  test("is the start of its own hour, at most an hour ago, and a full hour on the zone's clock", () => {
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
    // 02:00 becomes 02:30: half of the hour is skipped.
    { at: "2026-10-03T15:40:00Z", zone: "Australia/Lord_Howe", is: "2026-10-03T15:00:00Z" },
    // 02:00 becomes 01:30: an hour is never longer than an hour, so there are two that overlap.
    { at: "2026-04-04T15:10:00Z", zone: "Australia/Lord_Howe", is: "2026-04-04T14:30:00Z" },
  ])("in which $at lies in $zone began at $is", ({ at, zone, is }) => {
    expect(iso(hourOf(Date.parse(at), zone))).toBe(iso(Date.parse(is)));
  });

  test("does not depend on earlier calls", () => {
    const [first, second] = [
      Date.parse("2026-11-22T12:29:00Z"),
      Date.parse("2026-11-22T12:31:00Z"),
    ];
    const alone = [first, second].map((at) => hourOf(at, "Asia/Kolkata"));
    hourOf(first, "Europe/Berlin");
    expect([second, first].map((at) => hourOf(at, "Asia/Kolkata"))).toEqual(alone.toReversed());
  });
});

describe("the day, and the month, of a zone", () => {
  test.each([
    {
      ...{ at: "2026-11-22T12:00Z", zone: "UTC" },
      day: ["2026-11-22T00:00Z", "2026-11-23T00:00Z"],
      month: ["2026-11-01T00:00Z", "2026-12-01T00:00Z"],
    },
    {
      ...{ at: "2026-11-01T00:00Z", zone: "UTC" },
      day: ["2026-11-01T00:00Z", "2026-11-02T00:00Z"],
      month: ["2026-11-01T00:00Z", "2026-12-01T00:00Z"],
    },
    {
      ...{ at: "2026-12-31T23:59:59.999Z", zone: "UTC" },
      day: ["2026-12-31T00:00Z", "2027-01-01T00:00Z"],
      month: ["2026-12-01T00:00Z", "2027-01-01T00:00Z"],
    },
    {
      ...{ at: "2028-02-29T12:00Z", zone: "UTC" },
      day: ["2028-02-29T00:00Z", "2028-03-01T00:00Z"],
      month: ["2028-02-01T00:00Z", "2028-03-01T00:00Z"],
    },
    // The next month lacks this day.
    {
      ...{ at: "2026-01-31T12:00Z", zone: "UTC" },
      day: ["2026-01-31T00:00Z", "2026-02-01T00:00Z"],
      month: ["2026-01-01T00:00Z", "2026-02-01T00:00Z"],
    },
    // Ahead of UTC it is already December, behind it still November.
    {
      ...{ at: "2026-11-30T12:00Z", zone: "Pacific/Auckland" },
      day: ["2026-12-01T00:00+13:00", "2026-12-02T00:00+13:00"],
      month: ["2026-12-01T00:00+13:00", "2027-01-01T00:00+13:00"],
    },
    {
      ...{ at: "2026-12-01T07:00Z", zone: "America/Los_Angeles" },
      day: ["2026-11-30T00:00-08:00", "2026-12-01T00:00-08:00"],
      month: ["2026-11-01T00:00-07:00", "2026-12-01T00:00-08:00"],
    },
    {
      ...{ at: "2026-11-22T12:00Z", zone: "Asia/Kathmandu" },
      day: ["2026-11-22T00:00+05:45", "2026-11-23T00:00+05:45"],
      month: ["2026-11-01T00:00+05:45", "2026-12-01T00:00+05:45"],
    },
    // 23 hours, and 25.
    {
      ...{ at: "2026-03-29T12:00Z", zone: "Europe/Berlin" },
      day: ["2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00"],
      month: ["2026-03-01T00:00+01:00", "2026-04-01T00:00+02:00"],
    },
    {
      ...{ at: "2026-10-25T12:00Z", zone: "Europe/Berlin" },
      day: ["2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00"],
      month: ["2026-10-01T00:00+02:00", "2026-11-01T00:00+01:00"],
    },
  ])("at $at in $zone: from $day and $month", expectDayAndMonth);

  test.each([
    // Midnight does not exist: the day begins at one, here also the month.
    {
      ...{ at: "2026-09-06T04:30Z", zone: "America/Santiago" },
      day: ["2026-09-06T01:00-03:00", "2026-09-07T00:00-03:00"],
      month: ["2026-09-01T00:00-04:00", "2026-10-01T00:00-03:00"],
    },
    {
      ...{ at: "2017-10-01T12:00Z", zone: "America/Asuncion" },
      day: ["2017-10-01T01:00-03:00", "2017-10-02T00:00-03:00"],
      month: ["2017-10-01T01:00-03:00", "2017-11-01T00:00-03:00"],
    },
    {
      ...{ at: "2017-09-30T23:59:59.999-04:00", zone: "America/Asuncion" },
      day: ["2017-09-30T00:00-04:00", "2017-10-01T01:00-03:00"],
      month: ["2017-09-01T00:00-04:00", "2017-10-01T01:00-03:00"],
    },
    // The clock goes forward from before midnight to after it: the day begins half an hour late, not a whole one.
    {
      ...{ at: "1919-03-31T12:00Z", zone: "America/Toronto" },
      day: ["1919-03-31T00:30-04:00", "1919-04-01T00:00-04:00"],
      month: ["1919-03-01T00:00-05:00", "1919-04-01T00:00-04:00"],
    },
    // Midnight comes twice, on the first of a month: both begin with the first.
    {
      ...{ at: "2026-11-01T00:30-04:00", zone: "America/Havana" },
      day: ["2026-11-01T00:00-04:00", "2026-11-02T00:00-05:00"],
      month: ["2026-11-01T00:00-04:00", "2026-12-01T00:00-05:00"],
    },
    {
      ...{ at: "2026-11-01T00:30-05:00", zone: "America/Havana" },
      day: ["2026-11-01T00:00-04:00", "2026-11-02T00:00-05:00"],
      month: ["2026-11-01T00:00-04:00", "2026-12-01T00:00-05:00"],
    },
    // The last hour of a day comes twice; midnight after the second.
    {
      ...{ at: "2026-04-04T23:30-04:00", zone: "America/Santiago" },
      day: ["2026-04-04T00:00-03:00", "2026-04-05T00:00-04:00"],
      month: ["2026-04-01T00:00-03:00", "2026-05-01T00:00-04:00"],
    },
    // The clock goes back at 00:01 of November: October's last hour is shown once more, within November.
    {
      ...{ at: "2009-11-01T00:00:30-02:30", zone: "America/St_Johns" },
      day: ["2009-11-01T00:00-02:30", "2009-11-02T00:00-03:30"],
      month: ["2009-11-01T00:00-02:30", "2009-12-01T00:00-03:30"],
    },
    {
      ...{ at: "2009-10-31T23:30-03:30", zone: "America/St_Johns" },
      day: ["2009-11-01T00:00-02:30", "2009-11-02T00:00-03:30"],
      month: ["2009-11-01T00:00-02:30", "2009-12-01T00:00-03:30"],
    },
    {
      ...{ at: "2009-11-01T12:00-03:30", zone: "America/St_Johns" },
      day: ["2009-11-01T00:00-02:30", "2009-11-02T00:00-03:30"],
      month: ["2009-11-01T00:00-02:30", "2009-12-01T00:00-03:30"],
    },
    // All of 30 December 2011 does not exist.
    {
      ...{ at: "2011-12-29T23:59-10:00", zone: "Pacific/Apia" },
      day: ["2011-12-29T00:00-10:00", "2011-12-31T00:00+14:00"],
      month: ["2011-12-01T00:00-10:00", "2012-01-01T00:00+14:00"],
    },
  ])("around a clock change: at $at in $zone from $day and $month", expectDayAndMonth);

  test("contain their instant, and follow each other without a gap", () => {
    const zones = fc.constantFrom(
      ...["UTC", "Europe/Berlin", "America/Havana", "America/Santiago", "Africa/Cairo"],
      ...["America/St_Johns", "Pacific/Apia", "Asia/Kathmandu", "Atlantic/Azores"],
    );
    // Around clock changes, where days begin late, twice, or not at all.
    const turns = [
      "2009-11-01T02:31Z",
      "2011-12-30T10:00Z",
      "2026-04-05T03:00Z",
      "2026-11-01T05:00Z",
    ];
    const nearTurn = fc
      .tuple(fc.constantFrom(...turns), fc.integer({ min: -3 * HOUR, max: 3 * HOUR }))
      .map(([turn, off]) => Date.parse(turn) + off);
    const anytime = fc.integer({ min: Date.UTC(2006, 0, 1), max: Date.UTC(2040, 0, 1) });
    const instant = fc.oneof(anytime, nearTurn);
    const spans = [
      [startOfDay, startOfNextDay] as const,
      [startOfMonth, startOfNextMonth] as const,
    ];
    fc.assert(
      fc.property(instant, zones, (at, zone) => {
        for (const [start, startOfNext] of spans) {
          const [from, next] = [start(at, zone), startOfNext(at, zone)];
          expect(from <= at && at < next).toBe(true);
          expect([start(from, zone), start(next - 1, zone)]).toEqual([from, from]);
          expect(startOfNext(from, zone)).toBe(next);
          expect(start(next, zone)).toBe(next);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("a time zone is valid", () => {
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

function expectDayAndMonth(given: {
  at: string;
  zone: string;
  day: readonly string[];
  month: readonly string[];
}): void {
  const [at, { zone }] = [Date.parse(given.at), given];
  const day = [startOfDay(at, zone), startOfNextDay(at, zone)];
  const month = [startOfMonth(at, zone), startOfNextMonth(at, zone)];
  const instants = (texts: readonly string[]) => texts.map((text) => iso(Date.parse(text)));
  expect([day.map(iso), month.map(iso)]).toEqual([instants(given.day), instants(given.month)]);
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}

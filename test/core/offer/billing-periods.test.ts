/**
 * - period k is counted from the anchor: 31 Jan, 28 Feb, 31 Mar
 * - a period begins at the first instant of its local day; a midnight that is skipped is as late as
 *   the day begins, one shown twice is the first
 * - a month or a day has begun when its first instant has passed, whatever the clock shows again
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anchorOf, periodStart } from "../../../shared/core/offer/billing-periods.ts";

describe("month ends: period k from the anchor", () => {
  test.each([
    { anchor: "2026-01-29", starts: ["2026-02-28", "2026-03-29", "2026-04-29"] },
    { anchor: "2026-01-30", starts: ["2026-02-28", "2026-03-30", "2026-04-30"] },
    { anchor: "2026-01-31", starts: ["2026-02-28", "2026-03-31", "2026-04-30"] },
    { anchor: "2028-01-29", starts: ["2028-02-29", "2028-03-29", "2028-04-29"] },
    { anchor: "2028-01-30", starts: ["2028-02-29", "2028-03-30", "2028-04-30"] },
    { anchor: "2028-01-31", starts: ["2028-02-29", "2028-03-31", "2028-04-30"] },
    { anchor: "2026-02-28", starts: ["2026-03-28", "2026-04-28", "2026-05-28"] },
    { anchor: "2026-11-30", starts: ["2026-12-30", "2027-01-30", "2027-02-28"] },
    { anchor: "2026-12-01", starts: ["2027-01-01", "2027-02-01", "2027-03-01"] },
  ])("$anchor: $starts", ({ anchor, starts }) => {
    const found = [1, 2, 3].map((period) => start(anchor, period, "UTC"));
    expect(found).toEqual(starts.map((day) => `${day}T00:00:00.000Z`));
  });

  test("29 February comes back after four years", () => {
    expect([12, 48].map((period) => start("2028-02-29", period, "UTC").slice(0, 10))).toEqual([
      "2029-02-28",
      "2032-02-29",
    ]);
  });
});

describe("a period begins at the first instant of its local day", () => {
  test.each([
    {
      what: "ahead",
      anchor: "2026-01-01",
      zone: "Pacific/Kiritimati",
      is: "2026-02-01T00:00+14:00",
    },
    {
      what: "behind",
      anchor: "2026-01-01",
      zone: "Pacific/Pago_Pago",
      is: "2026-02-01T00:00-11:00",
    },
    { what: "a half", anchor: "2026-01-01", zone: "Asia/Kathmandu", is: "2026-02-01T00:00+05:45" },
    { what: "summer", anchor: "2026-03-01", zone: "Europe/Berlin", is: "2026-04-01T00:00+02:00" },
    // Midnight is skipped: the day begins at 01:00.
    { what: "gap", anchor: "2018-10-04", zone: "America/Sao_Paulo", is: "2018-11-04T01:00-02:00" },
    { what: "gap", anchor: "2022-02-27", zone: "Asia/Beirut", is: "2022-03-27T01:00+03:00" },
    { what: "gap", anchor: "2017-09-01", zone: "America/Asuncion", is: "2017-10-01T01:00-03:00" },
    // All of 30 December is skipped.
    { what: "no day", anchor: "2011-11-30", zone: "Pacific/Apia", is: "2011-12-31T00:00+14:00" },
    // 01:00 back to 00:00: the first midnight.
    { what: "fold", anchor: "2026-10-01", zone: "America/Havana", is: "2026-11-01T00:00-04:00" },
    // 00:01 back to 23:01 of October: the first midnight.
    { what: "fold", anchor: "2009-10-01", zone: "America/St_Johns", is: "2009-11-01T00:00-02:30" },
    // 24:00 back to 23:00: midnight comes once, after the hour that is shown twice.
    { what: "fold", anchor: "2024-10-01", zone: "Africa/Cairo", is: "2024-11-01T00:00+02:00" },
  ])("$what: a month after $anchor in $zone is $is", ({ anchor, zone, is }) => {
    expect(start(anchor, 1, zone)).toBe(new Date(is).toISOString());
  });

  test("also where the clock skips midnight: 1919-03-31 in Toronto begins at 00:30", () => {
    expect(start("1919-01-31", 2, "America/Toronto")).toBe("1919-03-31T04:30:00.000Z");
  });
});

describe("the anchor of a subscription", () => {
  test.each([
    { at: "2026-01-31T12:00Z", zone: "UTC", first: "2026-01-01", day: "2026-01-31" },
    { at: "2026-01-31T23:59:59.999Z", zone: "UTC", first: "2026-01-01", day: "2026-01-31" },
    { at: "2026-02-01T00:00Z", zone: "UTC", first: "2026-02-01", day: "2026-02-01" },
    { at: "2026-01-31T12:00Z", zone: "Pacific/Kiritimati", first: "2026-02-01", day: "2026-02-01" },
    { at: "2026-02-01T10:00Z", zone: "Pacific/Pago_Pago", first: "2026-01-01", day: "2026-01-31" },
    { at: "2022-03-26T22:00Z", zone: "Asia/Beirut", first: "2022-03-01", day: "2022-03-27" },
    // November began at 02:30Z; the clock then shows October again.
    {
      at: "2009-11-01T02:29:59Z",
      zone: "America/St_Johns",
      first: "2009-10-01",
      day: "2009-10-31",
    },
    {
      at: "2009-11-01T02:30:00Z",
      zone: "America/St_Johns",
      first: "2009-11-01",
      day: "2009-11-01",
    },
    {
      at: "2009-11-01T02:45:00Z",
      zone: "America/St_Johns",
      first: "2009-11-01",
      day: "2009-11-01",
    },
    {
      at: "2009-11-01T03:30:00Z",
      zone: "America/St_Johns",
      first: "2009-11-01",
      day: "2009-11-01",
    },
    // Both hours from 23:00 on are October's.
    { at: "2024-10-31T21:30:00Z", zone: "Africa/Cairo", first: "2024-10-01", day: "2024-10-31" },
    { at: "2024-10-31T22:00:00Z", zone: "Africa/Cairo", first: "2024-11-01", day: "2024-11-01" },
  ])("at $at in $zone is $first, or the day itself, $day", ({ at, zone, first, day }) => {
    const instant = Date.parse(at);
    expect(anchorOf(instant, "first_of_month", zone).date).toBe(first);
    expect(anchorOf(instant, "day_of_month", zone).date).toBe(day);
  });
});

test("for any time and zone, period 0 has begun, 1 has not, and each is later than the one before", () => {
  const zone = fc.constantFrom(
    ...["UTC", "America/Sao_Paulo", "Asia/Beirut", "America/Havana", "America/St_Johns"],
    ...["Africa/Cairo", "Pacific/Apia", "Pacific/Kiritimati", "Australia/Lord_Howe"],
  );
  const renewal = fc.constantFrom("first_of_month", "day_of_month");
  const instant = fc.oneof(
    fc.integer({ min: Date.UTC(2005, 0, 1), max: Date.UTC(2035, 0, 1) }),
    // The hours around a change of month.
    fc
      .tuple(fc.nat(400), fc.integer({ min: -86_400_000, max: 86_400_000 }))
      .map(([month, off]) => Date.UTC(2005, month, 1) + off),
  );
  fc.assert(
    fc.property(instant, renewal, zone, (at, kind, timeZone) => {
      const anchor = anchorOf(at, kind, timeZone);
      expect(periodStart(anchor, 0, timeZone)).toBeLessThanOrEqual(at);
      expect(periodStart(anchor, 1, timeZone)).toBeGreaterThan(at);
      for (let period = 1; period < 14; period += 1) {
        const days =
          periodStart(anchor, period + 1, timeZone) - periodStart(anchor, period, timeZone);
        expect(days / 86_400_000).toBeGreaterThan(26.9);
        expect(days / 86_400_000).toBeLessThan(33.1);
      }
    }),
    { numRuns: 300 },
  );
});

function start(date: string, period: number, zone: string): string {
  const renewal = date.endsWith("-01") ? "first_of_month" : "day_of_month";
  return new Date(periodStart({ renewal, date }, period, zone)).toISOString();
}

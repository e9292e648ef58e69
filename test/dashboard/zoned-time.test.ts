import { describe, expect, it } from "vitest";
import {
  agoText,
  dateText,
  momentText,
  secondText,
  shortDate,
  soonText,
  weekdayText,
} from "../../services/dashboard/text/time-text.ts";
import {
  daysBetween,
  lastDays,
  lastHours,
  startOfDay,
  startOfHour,
} from "../../services/dashboard/text/zoned-time.ts";

const at = (text: string): number => Date.parse(text);
const iso = (instant: number): string => new Date(instant).toISOString();

describe("days and hours of a time zone", () => {
  it.each([
    ["Europe/Prague", "2026-11-26T10:00:00Z", "2026-11-25T23:00:00.000Z"],
    ["Europe/Prague", "2026-07-01T22:30:00Z", "2026-07-01T22:00:00.000Z"],
    ["America/New_York", "2026-11-26T02:00:00Z", "2026-11-25T05:00:00.000Z"],
    ["Pacific/Auckland", "2026-11-26T12:00:00Z", "2026-11-26T11:00:00.000Z"],
    ["Asia/Kathmandu", "2026-11-26T18:20:00.500Z", "2026-11-26T18:15:00.000Z"],
  ])("in %s the day of %s begins at %s", (zone, instant, start) => {
    expect(iso(startOfDay(zone, at(instant)))).toBe(start);
  });

  it("a day on which the clock changes begins at its midnight, and the next one 25 hours later", () => {
    const noon = at("2026-10-25T11:00:00Z");
    expect(iso(startOfDay("Europe/Prague", noon))).toBe("2026-10-24T22:00:00.000Z");
    expect(iso(startOfDay("Europe/Prague", noon, 1))).toBe("2026-10-25T23:00:00.000Z");
  });

  it("a midnight that the clock skips is later by the length of the skip", () => {
    const noon = at("2026-04-24T12:00:00Z");
    expect(iso(startOfDay("Africa/Cairo", noon))).toBe("2026-04-23T22:00:00.000Z");
  });

  it("a midnight shown twice is the first one", () => {
    const noon = at("2026-11-01T17:00:00Z");
    expect(iso(startOfDay("America/Havana", noon))).toBe("2026-11-01T04:00:00.000Z");
  });

  it("hours begin where the zone's clock starts them", () => {
    expect(iso(startOfHour("Asia/Kolkata", at("2026-11-26T10:10:05.250Z")))).toBe(
      "2026-11-26T09:30:00.000Z",
    );
    const hours = lastHours("UTC", at("2026-11-26T10:10:00Z"), 24);
    expect(hours).toHaveLength(24);
    expect(iso(hours[0] ?? 0)).toBe("2026-11-25T11:00:00.000Z");
    expect(iso(hours.at(-1) ?? 0)).toBe("2026-11-26T10:00:00.000Z");
  });

  it("the last 7 days are today and the six before it, also across a clock change", () => {
    expect(lastDays("Europe/Prague", at("2026-10-28T12:00:00Z"), 7).map(iso)).toEqual([
      "2026-10-21T22:00:00.000Z",
      "2026-10-22T22:00:00.000Z",
      "2026-10-23T22:00:00.000Z",
      "2026-10-24T22:00:00.000Z",
      "2026-10-25T23:00:00.000Z",
      "2026-10-26T23:00:00.000Z",
      "2026-10-27T23:00:00.000Z",
    ]);
  });

  it("days are counted on the calendar, not in hours", () => {
    const late = at("2026-11-26T22:59:00Z");
    expect(daysBetween("Europe/Prague", late, at("2026-11-26T23:01:00Z"))).toBe(1);
    expect(daysBetween("UTC", late, at("2026-11-26T23:01:00Z"))).toBe(0);
  });
});

describe("instants in words", () => {
  const zone = "Europe/Prague";
  const now = at("2026-11-26T13:32:08Z");

  it.each([
    ["2026-11-26T13:30:00Z", "today, 14:30"],
    ["2026-11-25T22:59:00Z", "yesterday, 23:59"],
    ["2026-11-16T08:12:00Z", "16 November, 09:12"],
    ["2025-11-16T08:12:00Z", "16 November 2025, 09:12"],
  ])("%s is %s", (instant, text) => {
    expect(momentText(zone, at(instant), now)).toBe(text);
  });

  it("writes dates, with the year only where it is in doubt", () => {
    expect(dateText(zone, at("2027-01-13T12:00:00Z"), now)).toBe("13 January");
    expect(dateText(zone, at("2027-07-01T12:00:00Z"), now)).toBe("1 July 2027");
    expect(shortDate(zone, at("2026-11-30T23:00:00Z"))).toBe("1 Dec");
    expect(weekdayText(zone, now, now)).toBe("Thursday 26 November");
    expect(secondText(zone, now)).toBe("14:32:08");
  });

  it("says how far ahead and how long ago", () => {
    expect(soonText(zone, at("2026-12-05T12:00:00Z"), now)).toBe("in 9 days");
    expect(soonText(zone, at("2026-11-27T00:00:00Z"), now)).toBe("tomorrow");
    expect(soonText(zone, at("2026-11-26T20:00:00Z"), now)).toBe("today");
    expect(soonText(zone, at("2027-01-05T12:00:00Z"), now)).toBeNull();
    expect(soonText(zone, now - 1, now)).toBeNull();
    expect(agoText(now - 4_000, now)).toBe("4 s ago");
    expect(agoText(now - 125_000, now)).toBe("2 min ago");
    expect(agoText(now - 3 * 86_400_000, now)).toBe("3 days ago");
    expect(agoText(now + 5_000, now)).toBe("0 s ago");
  });
});

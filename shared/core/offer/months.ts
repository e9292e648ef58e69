import { Temporal } from "temporal-polyfill";
import type { Instant } from "../line/account.ts";

/**
 * `months` calendar months after `from` in a time zone, the day clamped at the month's end. A local
 * time that the clock skips is as much later as the skip; one shown twice is the first.
 */
export function monthsAfter(from: Instant, months: number, timeZone: string): Instant {
  return Temporal.Instant.fromEpochMilliseconds(from)
    .toZonedDateTimeISO(timeZone)
    .add({ months })
    .toInstant().epochMilliseconds;
}

/**
 * The first instant of the day, and of the month, of a time zone in which `instant` lies. What has begun
 * has begun, whatever the clock shows again: where it goes back past midnight, the day stays.
 */
export function startOfDay(instant: Instant, timeZone: string): Instant {
  return beginOf(dayOf(instant, timeZone), timeZone);
}

export function startOfMonth(instant: Instant, timeZone: string): Instant {
  return beginOf(dayOf(instant, timeZone).with({ day: 1 }), timeZone);
}

/** The first instant of the day, and of the month, after the one in which `instant` lies. */
export function startOfNextDay(instant: Instant, timeZone: string): Instant {
  return beginOf(dayOf(instant, timeZone).add({ days: 1 }), timeZone);
}

export function startOfNextMonth(instant: Instant, timeZone: string): Instant {
  return beginOf(dayOf(instant, timeZone).with({ day: 1 }).add({ months: 1 }), timeZone);
}

/** The last day that has begun. */
function dayOf(instant: Instant, timeZone: string): Temporal.PlainDate {
  const shown = Temporal.Instant.fromEpochMilliseconds(instant)
    .toZonedDateTimeISO(timeZone)
    .toPlainDate();
  const next = shown.add({ days: 1 });
  return beginOf(next, timeZone) <= instant ? next : shown;
}

function beginOf(day: Temporal.PlainDate, timeZone: string): Instant {
  return day.toZonedDateTime({ timeZone }).epochMilliseconds;
}

const QUARTER_MS = 15 * 60 * 1000;
const HOUR_MS = 4 * QUARTER_MS;

// Zones differ from UTC by whole quarters of an hour, so within one the answer stays the same.
const lastHour = new Map<string, { quarter: number; hour: Instant }>();

/**
 * The first instant of the hour of a time zone in which `instant` lies. Clocks of zones that are
 * half an hour off turn their hours at half past. Before 1972 some zones were off by seconds; their
 * hours are those of the nearest quarter.
 */
export function hourOf(instant: Instant, timeZone: string): Instant {
  if (timeZone === "UTC") return Math.floor(instant / HOUR_MS) * HOUR_MS;
  const quarter = Math.floor(instant / QUARTER_MS);
  const last = lastHour.get(timeZone);
  if (last?.quarter === quarter) return last.hour;
  const hour = Temporal.Instant.fromEpochMilliseconds(quarter * QUARTER_MS)
    .toZonedDateTimeISO(timeZone)
    .round({ smallestUnit: "hour", roundingMode: "floor" }).epochMilliseconds;
  lastHour.set(timeZone, { quarter, hour });
  return hour;
}

// Temporal also takes an offset ("+02:00") or a whole instant as a time zone.
const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+/-]*$/;

/** True when `timeZone` is a name of the IANA time zone database. */
export function isTimeZone(timeZone: string): boolean {
  if (!ZONE_NAME.test(timeZone)) return false;
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(timeZone);
    return true;
  } catch {
    return false;
  }
}

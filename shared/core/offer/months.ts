import { Temporal } from "temporal-polyfill";
import type { Instant } from "../line/account.ts";

/**
 * `months` calendar months after `from` in a time zone, the day clamped at the month's end. A local
 * time that the clock skips moves on by the skip; of one that occurs twice it is the first.
 */
export function monthsAfter(from: Instant, months: number, timeZone: string): Instant {
  return Temporal.Instant.fromEpochMilliseconds(from)
    .toZonedDateTimeISO(timeZone)
    .add({ months })
    .toInstant().epochMilliseconds;
}

/**
 * The first instant of the local day, and of the month, of `instant`. When the clock goes back past
 * midnight, the day that has begun stays.
 */
export function startOfDay(instant: Instant, timeZone: string): Instant {
  return beginOf(dayOf(instant, timeZone), timeZone);
}

/** The first instant of the local month that an instant is in. */
export function startOfMonth(instant: Instant, timeZone: string): Instant {
  return beginOf(dayOf(instant, timeZone).with({ day: 1 }), timeZone);
}

/** The first instant of the next local day. */
export function startOfNextDay(instant: Instant, timeZone: string): Instant {
  return beginOf(dayOf(instant, timeZone).add({ days: 1 }), timeZone);
}

/** The first instant of the next local month. */
export function startOfNextMonth(instant: Instant, timeZone: string): Instant {
  return beginOf(dayOf(instant, timeZone).with({ day: 1 }).add({ months: 1 }), timeZone);
}

/** The last local day that has begun, even if the clock was put back and shows the one before again. */
export function dayOf(instant: Instant, timeZone: string): Temporal.PlainDate {
  const shown = Temporal.Instant.fromEpochMilliseconds(instant)
    .toZonedDateTimeISO(timeZone)
    .toPlainDate();
  const next = shown.add({ days: 1 });
  return beginOf(next, timeZone) <= instant ? next : shown;
}

/** The first instant of a local day. */
export function beginOf(day: Temporal.PlainDate, timeZone: string): Instant {
  return day.toZonedDateTime({ timeZone }).epochMilliseconds;
}

const QUARTER_MS = 15 * 60 * 1000;
const HOUR_MS = 4 * QUARTER_MS;

// Zones differ from UTC by whole quarters of an hour, so each quarter lies in one local hour.
const lastHour = new Map<string, { quarter: number; hour: Instant }>();

/**
 * When the clock of a zone last showed a full hour, as it goes at `instant`: at most an hour before it. Zones
 * with half-hour offsets begin their hours at half past. Some zones were off by seconds before 1972; these
 * are rounded to quarters of an hour.
 */
export function hourOf(instant: Instant, timeZone: string): Instant {
  if (timeZone === "UTC") return Math.floor(instant / HOUR_MS) * HOUR_MS;
  const quarter = Math.floor(instant / QUARTER_MS);
  const last = lastHour.get(timeZone);
  if (last?.quarter === quarter) return last.hour;
  const start = Temporal.Instant.fromEpochMilliseconds(quarter * QUARTER_MS);
  const { minute } = start.toZonedDateTimeISO(timeZone);
  const hour = quarter * QUARTER_MS - minute * 60 * 1000;
  lastHour.set(timeZone, { quarter, hour });
  return hour;
}

// Temporal also takes an offset ("+02:00") or a whole instant as a time zone.
const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+/-]*$/;

/** True for a name of the IANA time zone database. */
export function isTimeZone(timeZone: string): boolean {
  if (!ZONE_NAME.test(timeZone)) return false;
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(timeZone);
    return true;
  } catch {
    return false;
  }
}

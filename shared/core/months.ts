import { Temporal } from "temporal-polyfill";
import type { Instant } from "./account.ts";

/** How long a lot lives unless its plan, its price or its grant says otherwise. */
export const LOT_LIFE_MONTHS = 2;

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

/** True when `timeZone` is a name of the IANA time zone database. */
export function isTimeZone(timeZone: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(timeZone);
    return true;
  } catch {
    return false;
  }
}

import { Temporal } from "temporal-polyfill";

/**
 * Days and months of a time zone, found by stepping its wall clock a quarter of an hour at a time and
 * the calendar one month at a time. Dates are YYYY-MM-DD, so that the later one is the larger text.
 *
 * Correct since 1972, when the last zone came to differ from UTC by whole quarters of an hour.
 */

const MINUTE = 60_000;
const QUARTER = 15 * MINUTE;
const HOUR = 4 * QUARTER;

const clocks = new Map<string, Intl.DateTimeFormat>();
const starts = new Map<string, number>();

/** The date on the zone's wall clock. */
export function dateShown(at: number, timeZone: string): string {
  let clock = clocks.get(timeZone);
  if (clock === undefined) {
    const fields = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
    clock = new Intl.DateTimeFormat("en-CA", { timeZone, ...fields });
    clocks.set(timeZone, clock);
  }
  return clock.format(at);
}

/** The first instant at which the zone's wall clock shows `date`, or a later date if it skips that one. */
export function dayStart(date: string, timeZone: string): number {
  const key = `${timeZone} ${date}`;
  let start = starts.get(key);
  if (start === undefined) {
    start = findDayStart(date, timeZone);
    starts.set(key, start);
  }
  return start;
}

function findDayStart(date: string, timeZone: string): number {
  const hasCome = (at: number) => dateShown(at, timeZone) >= date;
  const utcMidnight = Date.parse(`${date}T00:00:00Z`);
  // No zone is more than 14 hours ahead of UTC.
  let at = utcMidnight - 15 * HOUR;
  while (!hasCome(at)) at += QUARTER;
  at -= QUARTER;
  while (!hasCome(at)) at += MINUTE;
  return at;
}

/** The last date whose first instant has passed, even if the wall clock went back behind it. */
export function dateBegun(at: number, timeZone: string): string {
  let date = dateShown(at, timeZone);
  for (let next = dayAfter(date); dayStart(next, timeZone) <= at; next = dayAfter(date)) {
    date = next;
  }
  return date;
}

/** The same calendar day `months` later, or that month's last day. */
export function monthsOn(date: string, months: number): string {
  let [year = 0, month = 0] = date.split("-").map(Number);
  const day = Number(date.slice(8));
  for (let turned = 0; turned < months; turned += 1) {
    month += 1;
    if (month === 13) {
      month = 1;
      year += 1;
    }
  }
  return toDate(year, month, Math.min(day, daysIn(year, month)));
}

/** `months` calendar months later on the zone's wall clock. */
export function sameTimeMonthsOn(at: number, months: number, timeZone: string): number {
  const shown = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone);
  return shown.add({ months }).epochMilliseconds;
}

function dayAfter(date: string): string {
  const [year = 0, month = 0, day = 0] = date.split("-").map(Number);
  if (day < daysIn(year, month)) return toDate(year, month, day + 1);
  return month < 12 ? toDate(year, month + 1, 1) : toDate(year + 1, 1, 1);
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

function toDate(year: number, month: number, day: number): string {
  const two = (part: number) => String(part).padStart(2, "0");
  return `${year}-${two(month)}-${two(day)}`;
}

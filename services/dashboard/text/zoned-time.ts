/** Instants are milliseconds since 1970 in UTC; a zone is a name of the IANA data base. */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const clocks = new Map<string, Intl.DateTimeFormat>();

/** What clocks in a zone show at an instant, as the instant at which clocks in UTC show it. */
export function shownIn(zone: string, at: number): number {
  const parts = new Map(
    clockOf(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  const part = (name: Intl.DateTimeFormatPartTypes): number => Number(parts.get(name));
  const time = [part("hour"), part("minute"), part("second"), 0] as const;
  return Date.UTC(part("year"), part("month") - 1, part("day"), ...time);
}

/**
 * The first instant of the day that is `days` after the one that `at` lies in. A midnight that the
 * clock skips is as much later as the skip.
 */
export function startOfDay(zone: string, at: number, days = 0): number {
  const midnight = Math.floor(shownIn(zone, at) / DAY) * DAY + days * DAY;
  // Offsets on both sides of the day decide: a change of the clock lies between them, or none does.
  const candidates = [midnight - DAY, midnight + DAY].map(
    (near) => midnight - offsetAt(zone, near),
  );
  const right = candidates.filter((candidate) => shownIn(zone, candidate) === midnight);
  return right.length > 0 ? Math.min(...right) : Math.max(...candidates);
}

/** The start of the hour on the zone's clock that `at` lies in, also where zones are half an hour off. */
export function startOfHour(zone: string, at: number): number {
  const sinceHour = ((shownIn(zone, at) % HOUR) + HOUR) % HOUR;
  return Math.floor(at / 1000) * 1000 - sinceHour;
}

/** The starts of the last `count` days, today's last. */
export function lastDays(zone: string, now: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => startOfDay(zone, now, i + 1 - count));
}

/** The starts of the last `count` hours, the present one's last. */
export function lastHours(zone: string, now: number, count: number): number[] {
  const last = startOfHour(zone, now);
  return Array.from({ length: count }, (_, i) => last - (count - 1 - i) * HOUR);
}

/** Whole days on the zone's calendar from one instant to another: tomorrow is 1. */
export function daysBetween(zone: string, from: number, to: number): number {
  return Math.floor(shownIn(zone, to) / DAY) - Math.floor(shownIn(zone, from) / DAY);
}

function offsetAt(zone: string, at: number): number {
  return shownIn(zone, at) - Math.floor(at / 1000) * 1000;
}

function clockOf(zone: string): Intl.DateTimeFormat {
  const known = clocks.get(zone);
  if (known !== undefined) return known;
  const clock = new Intl.DateTimeFormat("en-u-ca-gregory", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  clocks.set(zone, clock);
  return clock;
}

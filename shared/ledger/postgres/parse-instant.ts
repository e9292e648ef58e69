import type { Instant } from "../../core/line/account.ts";

const ZONE = "+00";
const BC = " BC";
/** Where each field begins, counted from the hyphen after the year. */
const [MONTH, DAY, HOUR, MINUTE, SECOND, FRACTION] = [1, 4, 7, 10, 13, 16];

const DAY_MS = 86_400_000;
const DAYS_TO_1970 = 719_468;
const DAYS_IN_400_YEARS = 146_097;

/**
 * A timestamptz as Postgres writes it in UTC ("2026-11-28 08:26:12.123+00", "0044-03-15 12:00:00+00 BC"),
 * rounded to milliseconds; an infinity stays infinite. Throws for another time zone.
 */
export function parseInstant(text: string): Instant {
  if (text === "infinity") return Number.POSITIVE_INFINITY;
  if (text === "-infinity") return Number.NEGATIVE_INFINITY;
  const isBc = text.endsWith(BC);
  const end = text.length - ZONE.length - (isBc ? BC.length : 0);
  if (!text.startsWith(ZONE, end)) throw new Error(`the session's time zone is not UTC: ${text}`);
  const at = text.indexOf("-");
  const year = digits(text, 0, at);
  const month = digits(text, at + MONTH, at + MONTH + 2);
  const days = daysSince1970(isBc ? 1 - year : year, month, digits(text, at + DAY, at + DAY + 2));
  const hours = digits(text, at + HOUR, at + HOUR + 2);
  const minutes = hours * 60 + digits(text, at + MINUTE, at + MINUTE + 2);
  const seconds = minutes * 60 + digits(text, at + SECOND, at + SECOND + 2);
  return days * DAY_MS + seconds * 1000 + millis(text, at + FRACTION, end);
}

function millis(text: string, from: number, end: number): number {
  return from >= end ? 0 : Math.round(digits(text, from, end) * 10 ** (3 - (end - from)));
}

function digits(text: string, from: number, end: number): number {
  let value = 0;
  for (let at = from; at < end; at += 1) value = value * 10 + text.charCodeAt(at) - 48;
  return value;
}

/** In the Gregorian calendar. A year is counted from March, so that a leap day is its last day. */
function daysSince1970(year: number, month: number, day: number): number {
  const years = month > 2 ? year : year - 1;
  const cycle = Math.floor(years / 400);
  const yearOfCycle = years - cycle * 400;
  const leapDays = Math.floor(yearOfCycle / 4) - Math.floor(yearOfCycle / 100);
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  return cycle * DAYS_IN_400_YEARS + yearOfCycle * 365 + leapDays + dayOfYear - DAYS_TO_1970;
}

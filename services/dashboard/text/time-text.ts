import { clockText } from "./locale.ts";
import { daysBetween, shownIn } from "./zoned-time.ts";

/** Formats instants in a time zone as the viewer writes them, with names for near days. */

/** "14:32" */
export function timeText(zone: string, at: number): string {
  return clockText(shownIn(zone, at), { hour: "2-digit", minute: "2-digit" });
}

/** "14:32:08" */
export function secondText(zone: string, at: number): string {
  return clockText(shownIn(zone, at), {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}

/** Dates nearer than this are shown without the year. */
const NEAR_DAYS = 180;

/** "1 December", with the year if it is half a year away or more. */
export function dateText(zone: string, at: number, now: number): string {
  return clockText(shownIn(zone, at), { day: "numeric", month: "long", ...yearOf(zone, at, now) });
}

/** "1 Dec" */
export function shortDate(zone: string, at: number): string {
  return clockText(shownIn(zone, at), { day: "numeric", month: "short" });
}

/** "Wednesday 12 November" */
export function weekdayText(zone: string, at: number, now: number): string {
  const day = { weekday: "long", day: "numeric", month: "long" } as const;
  return clockText(shownIn(zone, at), { ...day, ...yearOf(zone, at, now) });
}

/** "today, 14:32", "yesterday, 09:12", "16 November, 22:40". */
export function momentText(zone: string, at: number, now: number): string {
  const daysAgo = daysBetween(zone, at, now);
  const day = daysAgo === 0 ? "today" : daysAgo === 1 ? "yesterday" : dateText(zone, at, now);
  return `${day}, ${timeText(zone, at)}`;
}

/** "today", "tomorrow", "in 9 days"; null beyond 14 days or in the past. */
export function soonText(zone: string, at: number, now: number): string | null {
  const days = daysBetween(zone, now, at);
  if (at < now || days > 14) return null;
  return days === 0 ? "today" : days === 1 ? "tomorrow" : `in ${days} days`;
}

/** How long ago: "4 s ago", "12 min ago", "3 h ago", "2 days ago". */
export function agoText(at: number, now: number): string {
  const seconds = Math.max(0, Math.floor((now - at) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} days ago`;
}

function yearOf(zone: string, at: number, now: number): Intl.DateTimeFormatOptions {
  const isNear = Math.abs(daysBetween(zone, now, at)) < NEAR_DAYS;
  return isNear ? {} : { year: "numeric" };
}

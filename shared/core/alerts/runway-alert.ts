import type { Instant } from "../line/account.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** It has to last for a day more than was asked, so that an estimate around the level is not said again and again. */
const REARMED_AFTER_DAYS = 1;

/**
 * Whether a runway is low: it is where the credits last for fewer than `days`, and stays so until they last for a
 * day more. `lastsUntil` null: nothing is used, or for years.
 */
export function isRunwayLow(
  { days, wasLow }: { readonly days: number; readonly wasLow: boolean },
  lastsUntil: Instant | null,
  now: Instant,
): boolean {
  if (lastsUntil === null) return false;
  const leastDays = wasLow ? days + REARMED_AFTER_DAYS : days;
  return lastsUntil - now < leastDays * DAY_MS;
}

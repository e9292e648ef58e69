import { Temporal } from "temporal-polyfill";
import type { Instant } from "../line/account.ts";

/** How often a plan is paid. It changes the money only: credits come monthly. */
export type BillingInterval = "month" | "year";

/** When an account's months turn: on the first, or on the day it subscribed. */
export type Renewal = "first_of_month" | "day_of_month";

/**
 * Where a subscription's periods are counted from. Periods are months: period k begins k months
 * after the anchor, the day clamped at a month's end.
 */
export interface Anchor {
  readonly renewal: Renewal;
  /** Local calendar date, YYYY-MM-DD; for `first_of_month` the first of the month. */
  readonly date: string;
}

/**
 * The anchor of a subscription that begins at `subscribedAt`: the local month or day that has begun.
 * It has begun when its first instant has passed, also where the clock was then put back and shows
 * the month or the day before again.
 */
export function anchorOf(subscribedAt: Instant, renewal: Renewal, timeZone: string): Anchor {
  const shown = Temporal.Instant.fromEpochMilliseconds(subscribedAt)
    .toZonedDateTimeISO(timeZone)
    .toPlainDate();
  const monthly = renewal === "first_of_month";
  const begun = monthly ? shown.with({ day: 1 }) : shown;
  const next = begun.add(monthly ? { months: 1 } : { days: 1 });
  const date = startOf(next, timeZone) <= subscribedAt ? next : begun;
  return { renewal, date: date.toString() };
}

/** Months and zones that many accounts share; far more than one turn of the month meets. */
const MAX_KNOWN_STARTS = 20_000;
const knownStarts = new Map<string, Instant>();

/**
 * When a period begins: the first instant of its local day. A midnight that the clock skips is as
 * late as the skip makes the day begin; of one shown twice it is the first. Always counted from the
 * anchor (31 Jan, 28 Feb, 31 Mar), never from the period before.
 */
export function periodStart(anchor: Anchor, period: number, timeZone: string): Instant {
  const key = `${anchor.date} ${period} ${timeZone}`;
  const known = knownStarts.get(key);
  if (known !== undefined) return known;
  const date = Temporal.PlainDate.from(anchor.date).add({ months: period });
  const start = startOf(date, timeZone);
  if (knownStarts.size >= MAX_KNOWN_STARTS) knownStarts.clear();
  knownStarts.set(key, start);
  return start;
}

function startOf(date: Temporal.PlainDate, timeZone: string): Instant {
  return date.toZonedDateTime({ timeZone }).epochMilliseconds;
}

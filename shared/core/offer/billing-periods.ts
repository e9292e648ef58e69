import { Temporal } from "temporal-polyfill";
import type { Instant } from "../line/account.ts";
import { beginOf, dayOf } from "./months.ts";

/** How often a plan is paid. Credits come monthly either way. */
export type BillingInterval = "month" | "year";

/** When an account's months turn: on the first, or on the day of the month on which it subscribed. */
export type Renewal = "first_of_month" | "day_of_month";

/** Where periods are counted from: period k begins k months after the anchor, the day clamped at a month's end. */
export interface Anchor {
  readonly renewal: Renewal;
  /** Local calendar date, YYYY-MM-DD; for `first_of_month` the first of the month. */
  readonly date: string;
}

/**
 * The anchor of a subscription that begins at `subscribedAt`: the local month or day that has begun,
 * even if the clock was put back since and shows the one before again.
 */
export function anchorOf(subscribedAt: Instant, renewal: Renewal, timeZone: string): Anchor {
  const day = dayOf(subscribedAt, timeZone);
  const date = renewal === "first_of_month" ? day.with({ day: 1 }) : day;
  return { renewal, date: date.toString() };
}

/** The local days of a first period from the day it is subscribed, of those of the whole month. */
export interface FirstPart {
  readonly days: number;
  readonly of: number;
}

/** The part of period 0 that is left on the day of `subscribedAt`, that day included. */
export function firstPartOf(anchor: Anchor, subscribedAt: Instant, timeZone: string): FirstPart {
  const start = Temporal.PlainDate.from(anchor.date);
  const end = start.add({ months: 1 });
  const day = dayOf(subscribedAt, timeZone);
  return { days: day.until(end).days, of: start.until(end).days };
}

/** Far more months and time zones than one turn of the month needs. */
const MAX_KNOWN_STARTS = 20_000;
const knownStarts = new Map<string, Instant>();

/**
 * When a period begins: the first instant of its local day. It is counted from the anchor (31 Jan, 28
 * Feb, 31 Mar), not from the period before.
 */
export function periodStart(anchor: Anchor, period: number, timeZone: string): Instant {
  const key = `${anchor.date} ${period} ${timeZone}`;
  const known = knownStarts.get(key);
  if (known !== undefined) return known;
  const date = Temporal.PlainDate.from(anchor.date).add({ months: period });
  const start = beginOf(date, timeZone);
  if (knownStarts.size >= MAX_KNOWN_STARTS) knownStarts.clear();
  knownStarts.set(key, start);
  return start;
}

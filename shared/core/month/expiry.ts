/**
 * Expiry: when a lot ends, when its expiry is posted, and what is posted.
 *
 * A lot pays for usage that occurred before its end, and usage may arrive late. So an expiry is posted
 * once the usage before it is complete: with the account's first event that occurred at or after the
 * end, or once metering has read every partition to its end a grace later. An outage of metering costs
 * no customer a credit. The add-on charges of turns wait in the same way. Usage that is later still gets
 * the expiry back: late-usage.ts.
 */

import type { Account, Entry, Instant, Lot } from "../line/account.ts";
import { expire, remainingOf, withMoved } from "../line/credit-line.ts";
import { postEntry } from "../line/post-entry.ts";
import { REFERENCE } from "../line/reference.ts";
import { type Anchor, periodStart } from "../offer/billing-periods.ts";
import type { LotLife } from "../offer/catalogue.ts";
import { monthsAfter } from "../offer/months.ts";

/** A lot ends when its life is over, or at a fixed instant. */
export type LotEnd = LotLife | { readonly kind: "at"; readonly at: Instant };

/** The life of a lot, unless its plan, price or grant sets another. */
const USUAL_LIFE_MONTHS = 2;

/** When a lot granted at `grantedAt` ends, by the calendar of the time zone; null: never. */
export function endOfLot(end: LotEnd, grantedAt: Instant, timeZone: string): Instant | null {
  if (end.kind === "at") return end.at;
  const months = monthsOf(end);
  return months === null ? null : monthsAfter(grantedAt, months, timeZone);
}

/** When the lot of a turn ends: at the start of a later period; null: never. */
export function endOfTurnsLot(
  life: LotLife,
  { anchor, period }: { readonly anchor: Anchor; readonly period: number },
  timeZone: string,
): Instant | null {
  const months = monthsOf(life);
  return months === null ? null : periodStart(anchor, period + months, timeZone);
}

function monthsOf(life: LotLife): number | null {
  switch (life.kind) {
    case "usual":
      return USUAL_LIFE_MONTHS;
    case "months":
      return life.months;
    case "never":
      return null;
  }
}

/** How long expiries and add-on charges wait for late usage. */
export const GRACE_MS = 15 * 60 * 1000;

/** How far an account is settled. */
export interface Upto {
  /** Now. Turns are posted up to here, however late the usage before them is. */
  readonly clock: Instant;
  /**
   * The account's usage counts as complete up to here (minus infinity: never). Expiries and add-on
   * charges are posted up to here. At least `completeUntil`, at most `clock`.
   */
  readonly usage: Instant;
  /** All accounts' usage is complete up to here, by what metering has read; null: never. */
  readonly completeUntil: Instant | null;
}

/** Settles by the clock and by what metering has read, without an event of the account. */
export function uptoClock(clock: Instant, completeUntil: Instant | null): Upto {
  return { clock, usage: completeUntil ?? Number.NEGATIVE_INFINITY, completeUntil };
}

/**
 * How far an account's usage is complete when one of its events draws: up to when that occurred, but
 * not beyond the clock, so that a producer's fast clock costs no customer a credit.
 */
export function usageBefore(
  occurredAt: Instant,
  clock: Instant,
  completeUntil: Instant | null,
): Instant {
  return Math.max(Math.min(occurredAt, clock), completeUntil ?? Number.NEGATIVE_INFINITY);
}

/** The end of a lot that has credits left. */
export interface Expiry {
  readonly kind: "expiry";
  readonly at: Instant;
  readonly lot: Lot;
}

/** The lot with credits left that ends first; of two that end together, the older. */
export function nextExpiry(lots: readonly Lot[], account: Account): Expiry | null {
  let first: Expiry | null = null;
  for (const lot of lots) {
    if (lot.expiresAt === null || remainingOf(lot, account.position) === 0n) continue;
    if (
      first === null ||
      lot.expiresAt < first.at ||
      (lot.expiresAt === first.at && lot.start < first.lot.start)
    ) {
      first = { kind: "expiry", at: lot.expiresAt, lot };
    }
  }
  return first;
}

/** Posts the expiry of what is left of a lot. */
export function postExpiry(
  before: Account,
  lots: readonly Lot[],
  { lot, at }: Expiry,
): { account: Account; lots: readonly Lot[]; entry: Entry } {
  const { line, expired, moved } = expire(before, lots, lot);
  const expiredUntil = Math.max(before.expiredUntil ?? at, at);
  const { account, entry } = postEntry(
    { ...line, expiredUntil },
    {
      kind: "expiry",
      credits: -expired,
      lotId: lot.lotId,
      reference: REFERENCE.expiry.write(lot),
      dueAt: at,
    },
  );
  return { account, lots: withMoved(lots, moved), entry };
}

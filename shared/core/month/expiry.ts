/**
 * All that decides expiry: when a lot ends, when its expiry is posted, and what is posted.
 *
 * A lot pays for usage that occurred before it ends, and usage comes in late. So its expiry is posted
 * once the usage before that instant is complete: with the account's first event that occurred at or
 * after it, or a grace later, once metering has read every partition to its end. An outage of
 * metering costs nobody a credit. The turns' add-on charges wait for the same usage.
 */

import type { Account, Entry, Instant, Lot } from "../line/account.ts";
import { expire, remainingOf, withMoved } from "../line/credit-line.ts";
import { postEntry } from "../line/post-entry.ts";
import { REFERENCE } from "../line/reference.ts";
import { type Anchor, periodStart } from "../offer/billing-periods.ts";
import type { LotLife } from "../offer/catalogue.ts";
import { monthsAfter } from "../offer/months.ts";

/** When a lot ends: its life after the grant, or at an instant. */
export type LotEnd = LotLife | { readonly kind: "at"; readonly at: Instant };

/** How many months a lot lives unless its plan, its price or its grant says otherwise. */
const USUAL_LIFE_MONTHS = 2;

/** When a lot granted at `grantedAt` ends: its life later by the calendar; null: never. */
export function endOfLot(end: LotEnd, grantedAt: Instant, timeZone: string): Instant | null {
  if (end.kind === "at") return end.at;
  const months = monthsOf(end);
  return months === null ? null : monthsAfter(grantedAt, months, timeZone);
}

/** When the lot of a turn ends: with the start of the period that is its life later; null: never. */
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

/** How long after an instant the usage before it is waited for. */
export const GRACE_MS = 15 * 60 * 1000;

/** How far an account is settled. */
export interface Upto {
  /** Now: turns of the month are posted up to here, however late the usage before them is. */
  readonly clock: Instant;
  /**
   * Up to here the account's usage is taken to be complete (minus infinity: nowhere); expiries and
   * the turns' add-on charges are posted up to here. At least `completeUntil`, at most `clock`.
   */
  readonly usage: Instant;
  /** Up to here everybody's usage is complete, by what metering has read; null: nowhere. */
  readonly completeUntil: Instant | null;
}

/** Settles by the clock and by what metering has read, where no event of the account tells more. */
export function uptoClock(clock: Instant, completeUntil: Instant | null): Upto {
  return { clock, usage: completeUntil ?? Number.NEGATIVE_INFINITY, completeUntil };
}

/**
 * Up to where an account's usage is complete once an event of it draws: up to when that occurred, but
 * not beyond the clock, so that a fast clock elsewhere costs nobody a credit.
 */
export function usageBefore(
  occurredAt: Instant,
  clock: Instant,
  completeUntil: Instant | null,
): Instant {
  return Math.max(Math.min(occurredAt, clock), completeUntil ?? Number.NEGATIVE_INFINITY);
}

/** The end of a lot that still has credits. */
export interface Expiry {
  readonly kind: "expiry";
  readonly at: Instant;
  readonly lot: Lot;
}

/** The lot with something left that ends first; of two that end together, the older. */
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

/** Posts the expiry of a lot: what is left of it goes, and the entry names the lot. */
export function postExpiry(
  before: Account,
  lots: readonly Lot[],
  { lot, at }: Expiry,
): { account: Account; lots: readonly Lot[]; entry: Entry } {
  const { line, expired, moved } = expire(before, lots, lot);
  const { account, entry } = postEntry(line, {
    kind: "expiry",
    credits: -expired,
    lotId: lot.lotId,
    reference: REFERENCE.expiry.write(lot),
    dueAt: at,
  });
  return { account, lots: withMoved(lots, moved), entry };
}

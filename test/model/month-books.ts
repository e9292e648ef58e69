import type { LotLife } from "../../shared/core/offer/catalogue.ts";
import type { AddOnUse, DueCharge, MonthSubscription } from "./month-terms.ts";
import {
  emptyBooks,
  end,
  type NaiveBooks,
  type NaiveLot,
  put,
  roomForDraw,
  roomForGrant,
  take,
  takeFor,
} from "./naive-books.ts";
import { dayStart, monthsOn, sameTimeMonthsOn } from "./wall-calendar.ts";

/** The naive books of an account that may have a subscription and add-ons. */
export interface MonthBooks extends NaiveBooks<MonthLot> {
  timeZone: string;
  readonly currency: string;
  /** In the order posted. */
  readonly posted: MonthEntry[];
  /** In the order in which they fell due. */
  readonly fees: MonthFee[];
  used: bigint;
  subscription: MonthSubscription | null;
  /** The number of subscriptions so far. */
  subscriptions: number;
  addOns: AddOnUse[];
  dueCharges: DueCharge[];
}

export interface MonthLot extends NaiveLot {
  readonly grantedAt: number;
}

export interface MonthEntry {
  readonly kind: "grant" | "expiry" | "add_on_charge" | "adjustment" | "reversal";
  /** Signed: what it did to the balance. */
  readonly credits: bigint;
  readonly lotId: string | null;
  readonly reference: string;
  readonly dueAt: number;
}

/** Money that fell due for some of a subscription's periods. */
export interface MonthFee {
  readonly paymentId: string;
  readonly subscription: number;
  readonly period: number;
  readonly periods: number;
  readonly planId: string;
  readonly amount: bigint;
  readonly currency: string;
  readonly dueAt: number;
  /** The lot that comes with its payment; null: none waits. */
  brings: { readonly lotId: string; readonly credits: bigint; readonly life: LotLife } | null;
}

export function emptyMonthBooks(about: {
  readonly timeZone: string;
  readonly currency: string;
  readonly threshold: bigint;
}): MonthBooks {
  return {
    ...emptyBooks<MonthLot>(about.threshold),
    timeZone: about.timeZone,
    currency: about.currency,
    posted: [],
    fees: [],
    used: 0n,
    subscription: null,
    subscriptions: 0,
    addOns: [],
    dueCharges: [],
  };
}

/** Posts a new lot, granted at `at`: as much as fits in 63 bits, or nothing. */
export function postGrant(
  books: MonthBooks,
  asked: { lotId: string; credits: bigint; reference: string; expiresAt: number | null },
  at: number,
): void {
  const { lotId, reference, expiresAt } = asked;
  const credits = smaller(asked.credits, roomForGrant(books));
  if (credits <= 0n) return;
  put(books, { lotId, credits, left: credits, grantedAt: at, expiresAt, expired: 0n, gone: 0n });
  post(books, { kind: "grant", credits, lotId, reference, dueAt: at });
}

export function postExpiry(books: MonthBooks, lot: MonthLot): void {
  const { lotId } = lot;
  const credits = -end(books, lot);
  const dueAt = lot.expiresAt ?? 0;
  post(books, { kind: "expiry", credits, lotId, reference: `expiry:${lotId}`, dueAt });
}

/** Takes usage; each expired lot that still pays for it posts what it gives back. */
export function postUse(
  books: MonthBooks,
  { eventId, source, occurredAt }: { eventId: string; source: string; occurredAt: number },
  credits: bigint,
): void {
  for (const [lot, back] of takeFor(books, credits, occurredAt).gave) {
    const reference = `late:${eventId}${source === "" ? "" : ` of ${source}`}`;
    const { lotId, expiresAt } = lot;
    post(books, { kind: "reversal", credits: back, lotId, reference, dueAt: expiresAt ?? 0 });
  }
}

/** Charges for units of an add-on beyond those already owed: as much as fits in 63 bits, or nothing. */
export function postCharge(
  books: MonthBooks,
  asked: {
    addOnId: string;
    subscription: number;
    period: number;
    owed: number;
    units: number;
    credits: bigint;
  },
  dueAt: number,
): void {
  const { addOnId, subscription, period, owed, units } = asked;
  const credits = smaller(asked.credits, roomForDraw(books));
  if (credits <= 0n) return;
  take(books, credits);
  const reference = `add-on:${addOnId}:${subscription}:${period}:${owed}-${units}`;
  post(books, { kind: "add_on_charge", credits: -credits, lotId: null, reference, dueAt });
}

/** Withdraws `credits`, at most the remaining ones, from a lot. */
export function postWithdrawal(
  books: MonthBooks,
  lot: MonthLot,
  { credits, reference }: { credits: bigint; reference: string },
  at: number,
): void {
  lot.left -= credits;
  lot.gone += credits;
  const { lotId } = lot;
  post(books, { kind: "adjustment", credits: -credits, lotId, reference, dueAt: at });
}

function post(books: MonthBooks, entry: MonthEntry): void {
  books.posted.push(entry);
  books.entries += 1n;
}

/** When a period of the subscription begins, in the current time zone. */
export function periodStart(
  books: MonthBooks,
  { anchor }: Pick<MonthSubscription, "anchor">,
  period: number,
): number {
  return dayStart(monthsOn(anchor.date, period), books.timeZone);
}

/** When the lot of a period's own credits expires: as a later period begins. */
export function endOfMonthsLot(
  books: MonthBooks,
  subscription: Pick<MonthSubscription, "anchor">,
  period: number,
  life: LotLife,
): number | null {
  if (life.kind === "never") return null;
  const lives = life.kind === "usual" ? 2 : life.months;
  return periodStart(books, subscription, period + lives);
}

/** When a lot granted in mid-period expires. */
export function endOfOtherLot(books: MonthBooks, at: number, life: LotLife): number | null {
  if (life.kind === "never") return null;
  return sameTimeMonthsOn(at, life.kind === "usual" ? 2 : life.months, books.timeZone);
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

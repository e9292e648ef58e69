import type { Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import {
  type Anchor,
  type BillingInterval,
  type FirstPart,
  periodStart,
} from "../offer/billing-periods.ts";

/** An account's place on a plan. Its periods are months, counted from 0. */
export interface Subscription {
  /** Counts an account's subscriptions from 1. */
  readonly number: number;
  readonly planId: string;
  readonly interval: BillingInterval;
  /** ISO 4217; the account's. */
  readonly currency: string;
  readonly anchor: Anchor;
  readonly subscribedAt: Instant;
  /** The last period that has begun. */
  readonly period: number;
  /** When `period + 1` begins. */
  readonly nextPeriodAt: Instant;
  /** The part of period 0 that it costs and brings, if its plan charges by days; null: the whole. */
  readonly firstPart: FirstPart | null;
  /** Credits of this period, paid or not: the month's, and differences to larger plans. */
  readonly periodCredits: MicroCredits;
  /** The first period that is not charged yet. */
  readonly paidUntil: number;
  /** The price of a month or a year, in minor units, charged for the periods up to `paidUntil`. */
  readonly paidPrice: bigint;
  /** Holds from the next period on. */
  readonly nextPlanId: string | null;
  /** Holds from `paidUntil` on. */
  readonly nextInterval: BillingInterval | null;
  /** It ends when period `paidUntil` would begin. */
  readonly cancelled: boolean;
  /** While suspended, or waiting for its first payment: the periods that began without credits. Null: neither. */
  readonly withheld: readonly number[] | null;
}

/** When the first unpaid period begins. */
export function endOfPaid(subscription: Subscription, timeZone: string): Instant {
  const { anchor, period, nextPeriodAt, paidUntil } = subscription;
  return paidUntil === period + 1 ? nextPeriodAt : periodStart(anchor, paidUntil, timeZone);
}

/** An add-on in use. */
export interface AddOnUse {
  readonly addOnId: string;
  /** Units owed for the current period, charged or due. */
  readonly quantity: number;
  /** Units from the next period on. */
  readonly nextQuantity: number;
}

/** An add-on's charge that waits until the usage before its turn is complete. */
export interface DueCharge {
  readonly addOnId: string;
  /** Of the subscription, which may have ended since. */
  readonly number: number;
  readonly period: number;
  readonly units: number;
  /** For all units, at the price that held at `dueAt`. */
  readonly credits: MicroCredits;
  readonly dueAt: Instant;
}

/** What falls due on an account every month. */
export interface Schedule {
  readonly subscription: Subscription | null;
  /** By id. */
  readonly addOns: readonly AddOnUse[];
  readonly dueCharges: readonly DueCharge[];
  /** The number of subscriptions there have been: the last one's number. */
  readonly subscriptions: number;
  /** The number of changes in its history: the last one's sequence. */
  readonly changes: number;
}

/** The schedule of an account that never subscribed. */
export const EMPTY_SCHEDULE: Schedule = {
  subscription: null,
  addOns: [],
  dueCharges: [],
  subscriptions: 0,
  changes: 0,
};

type SubscriptionChangeKind =
  | "subscribed"
  | "plan_changed"
  | "plan_change_planned"
  | "interval_changed"
  | "interval_change_planned"
  | "cancelled"
  | "resumed"
  | "suspended"
  | "started"
  | "raise_paid"
  | "restored"
  | "ended"
  | "add_on_changed"
  | "add_on_change_planned"
  | "time_zone_changed"
  | "threshold_changed"
  | "overdraft_changed";

/**
 * One entry of an account's history: who changed what, and when. A planned change takes effect with the
 * next period (an interval: with the next paid stretch). Planning what holds now takes it back.
 */
export interface SubscriptionChange {
  /** Counts up per account from 1. */
  readonly sequence: number;
  readonly kind: SubscriptionChangeKind;
  /** Who requested it, or `schedule` if a turn brought it. */
  readonly by: string;
  readonly at: Instant;
  readonly detail: Readonly<Record<string, string>>;
}

/** What a change is, without who made it and when. */
export type ChangeDetail = Pick<SubscriptionChange, "kind" | "detail">;

/** Adds changes to the end of an account's history. */
export function addToHistory(
  before: Schedule,
  details: readonly ChangeDetail[],
  { by, at }: Pick<SubscriptionChange, "by" | "at">,
): { schedule: Schedule; changes: SubscriptionChange[] } {
  const changes = details.map((detail, index) => {
    return { sequence: before.changes + index + 1, ...detail, by, at };
  });
  return { schedule: { ...before, changes: before.changes + changes.length }, changes };
}

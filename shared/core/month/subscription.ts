import type { Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import { type Anchor, type BillingInterval, periodStart } from "../offer/billing-periods.ts";

/** An account's place on a plan. Its periods are months and are counted from 0. */
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
  /** What this period has had already: the month's credits, and differences to larger plans. */
  readonly periodCredits: MicroCredits;
  /** The first period that is not charged yet. */
  readonly paidUntil: number;
  /** The price of a month or a year, in minor units, that the periods up to `paidUntil` are charged at. */
  readonly paidPrice: bigint;
  /** Holds from the next period on. */
  readonly nextPlanId: string | null;
  /** Holds from `paidUntil` on. */
  readonly nextInterval: BillingInterval | null;
  /** It ends as period `paidUntil` would begin. */
  readonly cancelled: boolean;
  /** While a fee is given up: the periods that began without credits. Null: none is given up. */
  readonly withheld: readonly number[] | null;
}

/** When the first period begins that is not charged yet. */
export function endOfPaid(subscription: Subscription, timeZone: string): Instant {
  const { anchor, period, nextPeriodAt, paidUntil } = subscription;
  return paidUntil === period + 1 ? nextPeriodAt : periodStart(anchor, paidUntil, timeZone);
}

/** An add-on in use. */
export interface AddOnUse {
  readonly addOnId: string;
  /** Units owed for the current period, charged or still to be. */
  readonly quantity: number;
  /** Units from the next period on. */
  readonly nextQuantity: number;
}

/** An add-on's charge of a turn that waits until the usage before it is complete. */
export interface DueCharge {
  readonly addOnId: string;
  /** Of the subscription it is charged under, which may have ended since. */
  readonly number: number;
  readonly period: number;
  readonly units: number;
  /** For all units, at the price that held at `dueAt`. */
  readonly credits: MicroCredits;
  readonly dueAt: Instant;
}

/** What falls due on an account month by month. */
export interface Schedule {
  readonly subscription: Subscription | null;
  /** By id. */
  readonly addOns: readonly AddOnUse[];
  readonly dueCharges: readonly DueCharge[];
  /** How many subscriptions there ever were; the last one's number. */
  readonly subscriptions: number;
  /** How many changes its history has; the last one's sequence. */
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
  | "restored"
  | "ended"
  | "add_on_changed"
  | "add_on_change_planned"
  | "time_zone_changed"
  | "threshold_changed";

/**
 * One entry of an account's history: who changed what, and when. A change that is planned says what
 * holds from the next period on (an interval: from when the next one is to be paid); one that takes
 * a planned change back plans what holds now.
 */
export interface SubscriptionChange {
  /** Counts up per account from 1. */
  readonly sequence: number;
  readonly kind: SubscriptionChangeKind;
  /** Who asked for it, or `schedule` where a turn of the month brought it. */
  readonly by: string;
  readonly at: Instant;
  readonly detail: Readonly<Record<string, string>>;
}

/** A change as it is details: what it is, without who made it and when. */
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

import type { BillingInterval, Renewal } from "../../shared/core/offer/billing-periods.ts";
import type { AddOn, Plan } from "../../shared/core/offer/catalogue.ts";

/**
 * The parts of a month, as plain data; of shared/core only types are used. All credits are
 * micro-credits, all instants milliseconds since 1970-01-01T00:00Z.
 */

/** Versions of each plan and add-on, in any order. */
export interface Catalogue {
  readonly plans: ReadonlyMap<string, readonly Plan[]>;
  readonly addOns: ReadonlyMap<string, readonly AddOn[]>;
}

/** The version in force at an instant. */
export function versionAt<T extends { readonly validFrom: number }>(
  versions: readonly T[] | undefined,
  at: number,
): T | null {
  let newest: T | null = null;
  for (const version of versions ?? []) {
    if (version.validFrom > at) continue;
    if (newest === null || version.validFrom > newest.validFrom) newest = version;
  }
  return newest;
}

export interface MonthSubscription {
  /** Counts an account's subscriptions from 1. */
  readonly number: number;
  readonly subscribedAt: number;
  /** Periods are counted from its date, YYYY-MM-DD in the account's time zone. */
  readonly anchor: { readonly renewal: Renewal; readonly date: string };
  planId: string;
  interval: BillingInterval;
  readonly currency: string;
  /** The last period that has begun. */
  period: number;
  nextPeriodAt: number;
  /** Period 0 costs and brings `days` of its `of` days; null: all of it. */
  firstPart: { readonly days: number; readonly of: number } | null;
  /** What this period has received so far, or will once it is paid. */
  periodCredits: bigint;
  /** The first period not yet charged. */
  paidUntil: number;
  /** The price of the periods before it, per month or year. */
  paidPrice: bigint;
  nextPlanId: string | null;
  nextInterval: BillingInterval | null;
  cancelled: boolean;
  /** Periods that began without credits while a fee was given up, or the first one not paid. */
  withheld: number[] | null;
}

export interface AddOnUse {
  readonly addOnId: string;
  /** Owed for the current period, charged or pending. */
  quantity: number;
  /** From the next period on. */
  nextQuantity: number;
}

/** A turn's charge that waits for usage to be complete. */
export interface DueCharge {
  readonly addOnId: string;
  /** The subscription that owes it, which may have ended since. */
  readonly subscription: number;
  readonly period: number;
  readonly units: number;
  readonly credits: bigint;
  readonly dueAt: number;
}

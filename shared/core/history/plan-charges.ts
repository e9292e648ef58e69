import type { Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import { periodsPaid, raiseAmount } from "../month/fees-due.ts";
import type { SubscriptionChange } from "../month/subscription.ts";
import type { BillingInterval } from "../offer/billing-periods.ts";
import { type Catalogue, planAt, priceAt } from "../offer/catalogue.ts";

/** What happened on an account's subscriptions, whatever it cost. */
export interface PlanHistory {
  /** ISO 4217. */
  readonly currency: string;
  /** The months that were given. */
  readonly months: readonly PlanMonth[];
  /** In order. */
  readonly changes: readonly SubscriptionChange[];
}

/** A month of a subscription that was given. */
export interface PlanMonth {
  /** Of the subscription. */
  readonly number: number;
  readonly period: number;
  readonly planId: string;
  readonly at: Instant;
}

/** What a month, or a change to another plan in mid-period, brings and costs. */
export interface PlanStep {
  readonly at: Instant;
  readonly planId: string;
  /** Null: the catalogue does not tell, for it has no such plan then. */
  readonly credits: MicroCredits | null;
  /** In minor units, 0 where no paid stretch begins. Null: it has no such plan, or not in the currency. */
  readonly price: bigint | null;
}

/** The month's lot that a turn or a subscription brings; those of differences have other ids. */
const MONTH = /^plan:(\d+):(\d+)$/;

/** Which subscription's month a lot is, or null when it is none. */
export function monthOf(lotId: string): Pick<PlanMonth, "number" | "period"> | null {
  const [, number, period] = MONTH.exec(lotId) ?? [];
  return number === undefined ? null : { number: Number(number), period: Number(period) };
}

/**
 * What an account's subscriptions give and cost under a catalogue, by the same rules as when they
 * were charged: the months, the plans that were changed to and the intervals are as they were.
 * Under the catalogue that held then it comes to the lots and fees that there are.
 */
export function planSteps(history: PlanHistory, catalogue: Catalogue): PlanStep[] {
  const { months, currency } = history;
  return subscriptionsOf(history.changes).flatMap(({ number, intervals, raises }) => {
    const begun = months.filter((month) => month.number === number);
    return walk([...begun, ...raises].sort(inOrder), { catalogue, currency, intervals });
  });
}

/** A change to another plan that held at once. */
interface Raise {
  readonly period: null;
  readonly planId: string;
  readonly at: Instant;
}

interface TakenInterval {
  readonly interval: BillingInterval;
  readonly at: Instant;
}

interface Subscribed {
  readonly number: number;
  readonly intervals: TakenInterval[];
  readonly raises: Raise[];
}

function subscriptionsOf(changes: readonly SubscriptionChange[]): Subscribed[] {
  const all: Subscribed[] = [];
  for (const { kind, by, at, detail } of changes) {
    const interval = detail["interval"] === "year" ? "year" : "month";
    if (kind === "subscribed") {
      all.push({ number: Number(detail["number"]), intervals: [{ interval, at }], raises: [] });
    } else if (kind === "interval_changed") {
      all.at(-1)?.intervals.push({ interval, at });
    } else if (kind === "plan_changed" && by !== "schedule") {
      all.at(-1)?.raises.push({ period: null, planId: detail["plan"] ?? "", at });
    }
  }
  return all;
}

/** A change at the very instant of a turn comes after it. */
function inOrder(a: PlanMonth | Raise, b: PlanMonth | Raise): number {
  const last = Number.POSITIVE_INFINITY;
  return a.at - b.at || (a.period ?? last) - (b.period ?? last) || 0;
}

interface Terms {
  readonly catalogue: Catalogue;
  readonly currency: string;
  readonly intervals: readonly TakenInterval[];
}

/** Where a subscription's charging stands; null: what the catalogue does not tell. */
interface Standing {
  readonly period: number;
  readonly periodCredits: MicroCredits | null;
  readonly paidUntil: number;
  readonly paidPrice: bigint | null;
  readonly interval: BillingInterval;
}

const BEFORE: Standing = {
  period: -1,
  periodCredits: 0n,
  paidUntil: 0,
  paidPrice: 0n,
  interval: "month",
};

function walk(steps: readonly (PlanMonth | Raise)[], terms: Terms): PlanStep[] {
  let standing = BEFORE;
  return steps.map((step) => {
    const taken =
      step.period === null ? raise(step, standing, terms) : begin(step, standing, terms);
    standing = taken.standing;
    return taken.step;
  });
}

interface Taken {
  readonly step: PlanStep;
  readonly standing: Standing;
}

function begin({ period, planId, at }: PlanMonth, before: Standing, terms: Terms): Taken {
  const credits = planAt(terms.catalogue, planId, at)?.credits ?? null;
  const standing = { ...before, period, periodCredits: credits };
  if (period < before.paidUntil) {
    return { standing, step: { at, planId, credits, price: 0n } };
  }
  const interval = terms.intervals.findLast((taken) => taken.at <= at)?.interval ?? "month";
  const price = priceThen(planId, interval, at, terms);
  const paidUntil = period + periodsPaid(interval);
  return {
    standing: { ...standing, interval, paidUntil, paidPrice: price },
    step: { at, planId, credits, price },
  };
}

function raise({ planId, at }: Raise, before: Standing, terms: Terms): Taken {
  const { periodCredits, paidPrice } = before;
  const credits = planAt(terms.catalogue, planId, at)?.credits ?? null;
  const price = priceThen(planId, before.interval, at, terms);
  return {
    standing: {
      ...before,
      periodCredits: larger(periodCredits, credits),
      paidPrice: larger(paidPrice, price),
    },
    step: {
      at,
      planId,
      credits: risen(periodCredits, credits),
      price:
        price === null || paidPrice === null ? null : raiseAmount({ ...before, paidPrice }, price),
    },
  };
}

function priceThen(
  planId: string,
  interval: BillingInterval,
  at: Instant,
  { catalogue, currency }: Terms,
): bigint | null {
  if (planAt(catalogue, planId, at) === null) return null;
  return priceAt(catalogue, planId, currency, interval, at);
}

function larger(a: bigint | null, b: bigint | null): bigint | null {
  if (a === null || b === null) return null;
  return b > a ? b : a;
}

function risen(from: bigint | null, to: bigint | null): bigint | null {
  if (from === null || to === null) return null;
  return to > from ? to - from : 0n;
}

import type { BillingInterval, Renewal } from "../../shared/core/offer/billing-periods.ts";
import type { Plan } from "../../shared/core/offer/catalogue.ts";
import {
  endOfOtherLot,
  type MonthBooks,
  periodStart,
  postCharge,
  postGrant,
} from "./month-books.ts";
import { chargeDifference, chargeStretch, partOf } from "./month-fees.ts";
import { grantForPeriod, settle } from "./month-settle.ts";
import { type Catalogue, type MonthSubscription, versionAt } from "./month-terms.ts";
import { roomForDraw, roomForGrant, sayAgainIfLow, sayIfLow } from "./naive-books.ts";
import { dateBegun, dayStart, monthsOn } from "./wall-calendar.ts";

/**
 * What a customer may change, each on a settled account at `now`. The outcome is the kind of the change
 * or of the refusal; a refusal leaves everything unchanged.
 */

const MOST_UNITS = 1_000_000;
const DAY = 86_400_000;

type PlanRefusal = "unknown_plan" | "no_plan_price";

export function subscribe(
  books: MonthBooks,
  catalogue: Catalogue,
  asked: { planId: string; interval: BillingInterval; renewal: Renewal },
  now: number,
): "subscribed" | PlanRefusal | "already_subscribed" | "overflow" {
  const { planId, interval, renewal } = asked;
  if (books.subscription !== null) return "already_subscribed";
  const plan = planOnOffer(books, catalogue, planId, now);
  if (typeof plan === "string") return plan;
  if (plan.credits > roomForGrant(books)) return "overflow";
  books.subscriptions += 1;
  const day = dateBegun(now, books.timeZone);
  const date = renewal === "day_of_month" ? day : `${day.slice(0, 8)}01`;
  const subscription: MonthSubscription = {
    number: books.subscriptions,
    subscribedAt: now,
    anchor: { renewal, date },
    planId,
    interval,
    currency: books.currency,
    period: 0,
    nextPeriodAt: 0,
    firstPart: null,
    periodCredits: 0n,
    paidUntil: 0,
    paidPrice: 0n,
    nextPlanId: null,
    nextInterval: null,
    cancelled: false,
    withheld: null,
  };
  subscription.nextPeriodAt = periodStart(books, subscription, 1);
  books.subscription = subscription;
  if (plan.firstMonth === "by_days") {
    const [first, today, next] = [date, day, monthsOn(date, 1)].map((text) => Date.parse(text));
    subscription.firstPart = {
      days: (Number(next) - Number(today)) / DAY,
      of: (Number(next) - Number(first)) / DAY,
    };
  }
  const fee = chargeStretch(books, subscription, catalogue, now);
  if (fee === null || plan.firstCredits === "immediately") {
    grantForPeriod(books, subscription, catalogue, { at: now });
    sayAgainIfLow(books);
    return "subscribed";
  }
  subscription.withheld = [];
  subscription.periodCredits = partOf(subscription, plan.credits);
  fee.brings = {
    lotId: `plan:${subscription.number}:0`,
    credits: subscription.periodCredits,
    life: plan.life,
  };
  return "subscribed";
}

export function changePlan(
  books: MonthBooks,
  catalogue: Catalogue,
  planId: string,
  now: number,
):
  | "plan_changed"
  | "plan_change_planned"
  | PlanRefusal
  | "no_subscription"
  | "subscription_suspended"
  | "no_change"
  | "overflow" {
  const { subscription } = books;
  if (subscription === null) return "no_subscription";
  if (subscription.withheld !== null) return "subscription_suspended";
  if (planId === (subscription.nextPlanId ?? subscription.planId)) return "no_change";
  if (planId === subscription.planId) {
    subscription.nextPlanId = null;
    return "plan_change_planned";
  }
  const plan = planOnOffer(books, catalogue, planId, now);
  if (typeof plan === "string") return plan;
  const ofPeriod = partOf(subscription, plan.credits);
  const difference = ofPeriod - subscription.periodCredits;
  const current = versionAt(catalogue.plans.get(subscription.planId), now);
  if (difference <= 0n && plan.credits <= (current?.credits ?? 0n)) {
    subscription.nextPlanId = planId;
    return "plan_change_planned";
  }
  if (difference > roomForGrant(books)) return "overflow";
  subscription.planId = planId;
  subscription.nextPlanId = null;
  const fee = chargeDifference(books, subscription, catalogue, now);
  if (difference > 0n && fee !== null && plan.firstCredits === "when_paid") {
    const lotId = `plan:${subscription.number}:${subscription.period}:${plan.credits}`;
    subscription.periodCredits = ofPeriod;
    fee.brings = { lotId, credits: difference, life: plan.life };
  } else if (difference > 0n) {
    const lotId = `plan:${subscription.number}:${subscription.period}:${plan.credits}`;
    const expiresAt = endOfOtherLot(books, now, plan.life);
    subscription.periodCredits = ofPeriod;
    postGrant(books, { lotId, credits: difference, reference: planId, expiresAt }, now);
    sayAgainIfLow(books);
  }
  return "plan_changed";
}

export function changeInterval(
  { subscription }: MonthBooks,
  interval: BillingInterval,
): "interval_change_planned" | "no_subscription" | "subscription_suspended" | "no_change" {
  if (subscription === null) return "no_subscription";
  if (subscription.withheld !== null) return "subscription_suspended";
  if (interval === (subscription.nextInterval ?? subscription.interval)) return "no_change";
  subscription.nextInterval = interval === subscription.interval ? null : interval;
  return "interval_change_planned";
}

export function cancel({
  subscription,
}: MonthBooks): "cancelled" | "no_subscription" | "already_cancelled" {
  if (subscription === null) return "no_subscription";
  if (subscription.cancelled) return "already_cancelled";
  subscription.cancelled = true;
  return "cancelled";
}

export function resume({
  subscription,
}: MonthBooks): "resumed" | "no_subscription" | "not_cancelled" {
  if (subscription === null) return "no_subscription";
  if (!subscription.cancelled) return "not_cancelled";
  subscription.cancelled = false;
  return "resumed";
}

export function setAddOn(
  books: MonthBooks,
  catalogue: Catalogue,
  { addOnId, quantity }: { addOnId: string; quantity: number },
  now: number,
):
  | "add_on_changed"
  | "add_on_change_planned"
  | "invalid_quantity"
  | "unknown_add_on"
  | "no_subscription"
  | "subscription_suspended"
  | "no_change"
  | "overflow" {
  if (!Number.isInteger(quantity) || quantity < 0 || quantity > MOST_UNITS) {
    return "invalid_quantity";
  }
  const { subscription } = books;
  if (subscription === null) return "no_subscription";
  const addOn = versionAt(catalogue.addOns.get(addOnId), now);
  if (addOn === null) return "unknown_add_on";
  let use = books.addOns.find((one) => one.addOnId === addOnId);
  if (quantity === (use?.nextQuantity ?? 0)) return "no_change";
  const owed = use?.quantity ?? 0;
  if (use !== undefined && quantity <= owed) {
    use.nextQuantity = quantity;
    return "add_on_change_planned";
  }
  if (subscription.withheld !== null) return "subscription_suspended";
  endBefore(books, catalogue, now);
  const credits = BigInt(quantity - owed) * addOn.credits;
  if (credits > roomForDraw(books)) return "overflow";
  if (use === undefined) {
    use = { addOnId, quantity: 0, nextQuantity: 0 };
    books.addOns.push(use);
  }
  use.quantity = quantity;
  use.nextQuantity = quantity;
  const { number, period } = subscription;
  postCharge(books, { addOnId, subscription: number, period, owed, units: quantity, credits }, now);
  sayIfLow(books, `entry:${books.entries}`);
  return "add_on_changed";
}

/** What is charged immediately never takes from a lot whose time is over. */
function endBefore(books: MonthBooks, catalogue: Catalogue, now: number): void {
  let last = Number.NEGATIVE_INFINITY;
  for (const { left, expiresAt } of books.lots) {
    if (left > 0n && expiresAt !== null && expiresAt <= now) last = Math.max(last, expiresAt);
  }
  settle(books, catalogue, { clock: last, usage: last, completeUntil: last });
}

export function changeTimeZone(
  books: MonthBooks,
  timeZone: string,
  now: number,
): "time_zone_changed" | "unknown_time_zone" | "no_change" {
  if (!/^[A-Za-z]/.test(timeZone)) return "unknown_time_zone";
  try {
    dayStart("2000-01-01", timeZone);
  } catch {
    return "unknown_time_zone";
  }
  if (timeZone === books.timeZone) return "no_change";
  books.timeZone = timeZone;
  const { subscription } = books;
  if (subscription !== null) {
    const next = periodStart(books, subscription, subscription.period + 1);
    subscription.nextPeriodAt = Math.max(next, now);
  }
  return "time_zone_changed";
}

function planOnOffer(
  { currency }: MonthBooks,
  catalogue: Catalogue,
  planId: string,
  now: number,
): Plan | PlanRefusal {
  const plan = versionAt(catalogue.plans.get(planId), now);
  if (plan === null) return "unknown_plan";
  return plan.prices.some((price) => price.currency === currency) ? plan : "no_plan_price";
}

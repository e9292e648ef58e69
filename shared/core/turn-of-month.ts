import type { Instant } from "./account.ts";
import { type Anchor, periodStart } from "./billing-periods.ts";
import { addOnAt, type Catalogue, monthsOf, type Plan, planAt } from "./catalogue.ts";
import { MAX_BIGINT, type MicroCredits } from "./credit-line.ts";
import type { NewLot } from "./grant-credits.ts";
import {
  type AddOnUse,
  type BillingInterval,
  type DueCharge,
  recordChange,
  type Schedule,
  type Subscription,
  type SubscriptionChange,
} from "./subscription.ts";

/** What a turn of the month brings an account. */
export interface Turn {
  readonly schedule: Schedule;
  /** The month's credits; null when the subscription ended. */
  readonly lot: NewLot | null;
  readonly changes: readonly SubscriptionChange[];
}

/**
 * Begins the subscription's next period, or ends it there when it is cancelled and all that is paid
 * has passed. What was planned holds from here on; plan and prices are those of the turn's instant.
 * Add-ons are not charged yet: each becomes a due charge, for the usage before may still be on its way.
 */
export function turnMonth(
  before: Schedule,
  subscription: Subscription,
  catalogue: Catalogue,
  timeZone: string,
): Turn {
  const at = subscription.nextPeriodAt;
  const isUnpaid = subscription.period + 1 === subscription.paidUntil;
  if (isUnpaid && subscription.cancelled) {
    const ended = { ...before, subscription: null, addOns: [] };
    const told = { kind: "ended", detail: { plan: subscription.planId } } as const;
    return { ...recordAll(ended, [told], at), lot: null };
  }
  const begun = beginPeriod(isUnpaid ? payAgain(subscription) : subscription, timeZone);
  const plan = planThen(catalogue, begun.planId, at);
  const turned: Schedule = {
    ...before,
    subscription: { ...begun, periodCredits: plan.credits },
    addOns: nextUses(before.addOns),
    dueCharges: [...before.dueCharges, ...chargesOf(begun, before.addOns, catalogue, at)],
  };
  const told = whatCameTrue(subscription, begun, before.addOns);
  return { ...recordAll(turned, told, at), lot: monthsLot(begun, plan, at, timeZone) };
}

/** How many periods a payment covers. */
export function periodsPaid(interval: BillingInterval): number {
  return interval === "year" ? 12 : 1;
}

/** The credits of the subscription's current period, which began at `at`. */
export function monthsLot(
  { number, anchor, period }: { number: number; anchor: Anchor; period: number },
  { planId, credits, life }: Plan,
  at: Instant,
  timeZone: string,
): NewLot {
  const months = monthsOf(life);
  return {
    lotId: `plan:${number}:${period}`,
    credits,
    source: "plan",
    reference: planId,
    grantedAt: at,
    expiresAt: months === null ? null : periodStart(anchor, period + months, timeZone),
  };
}

function payAgain(subscription: Subscription): Subscription {
  const interval = subscription.nextInterval ?? subscription.interval;
  const paidUntil = subscription.paidUntil + periodsPaid(interval);
  return { ...subscription, interval, nextInterval: null, paidUntil };
}

function beginPeriod(subscription: Subscription, timeZone: string): Subscription {
  const { anchor, nextPeriodAt: at, nextPlanId } = subscription;
  const period = subscription.period + 1;
  return {
    ...subscription,
    period,
    planId: nextPlanId ?? subscription.planId,
    nextPlanId: null,
    // Later than this turn also where a change of zone has put the turn off.
    nextPeriodAt: Math.max(periodStart(anchor, period + 1, timeZone), at + 1),
  };
}

/** The planned changes that a turn has made, for the history. */
function whatCameTrue(
  before: Subscription,
  after: Subscription,
  addOns: readonly AddOnUse[],
): Told[] {
  const told: Told[] = [];
  if (after.interval !== before.interval) {
    const detail = { interval: after.interval, before: before.interval };
    told.push({ kind: "interval_changed", detail });
  }
  if (after.planId !== before.planId) {
    told.push({ kind: "plan_changed", detail: { plan: after.planId, before: before.planId } });
  }
  for (const { addOnId, quantity, nextQuantity } of addOns) {
    if (nextQuantity === quantity) continue;
    const detail = { add_on: addOnId, units: `${nextQuantity}`, before: `${quantity}` };
    told.push({ kind: "add_on_changed", detail });
  }
  return told;
}

type Told = Pick<SubscriptionChange, "kind" | "detail">;

function recordAll(
  before: Schedule,
  told: readonly Told[],
  at: Instant,
): { schedule: Schedule; changes: SubscriptionChange[] } {
  let schedule = before;
  const changes: SubscriptionChange[] = [];
  for (const one of told) {
    const recorded = recordChange(schedule, { ...one, by: "schedule", at });
    schedule = recorded.schedule;
    changes.push(recorded.change);
  }
  return { schedule, changes };
}

function nextUses(addOns: readonly AddOnUse[]): AddOnUse[] {
  return addOns
    .filter(({ nextQuantity }) => nextQuantity > 0)
    .map((use) => ({ ...use, quantity: use.nextQuantity }));
}

function chargesOf(
  { number, period }: Subscription,
  addOns: readonly AddOnUse[],
  catalogue: Catalogue,
  dueAt: Instant,
): DueCharge[] {
  return nextUses(addOns).map(({ addOnId, quantity: units }) => {
    const addOn = addOnAt(catalogue, addOnId, dueAt);
    if (addOn === null) throw new Error(`add-on ${addOnId} in use is not in the catalogue`);
    return { addOnId, number, period, units, credits: priceOf(addOn.credits, units), dueAt };
  });
}

/** A turn cannot be refused, so a price beyond what is storable is cut there. */
function priceOf(credits: MicroCredits, units: number): MicroCredits {
  const price = credits * BigInt(units);
  return price > MAX_BIGINT ? MAX_BIGINT : price;
}

function planThen(catalogue: Catalogue, planId: string, at: Instant): Plan {
  const plan = planAt(catalogue, planId, at);
  if (plan === null) throw new Error(`plan ${planId} subscribed to is not in the catalogue`);
  return plan;
}

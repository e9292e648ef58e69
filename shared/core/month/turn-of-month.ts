import type { Instant } from "../line/account.ts";
import { MAX_BIGINT, type MicroCredits } from "../line/credit-line.ts";
import { REFERENCE } from "../line/reference.ts";
import { periodStart } from "../offer/billing-periods.ts";
import { addOnAt, type Catalogue, type Plan, planAt } from "../offer/catalogue.ts";
import { addOnPrice } from "./add-on-charge.ts";
import { endOfTurnsLot } from "./expiry.ts";
import type { Fee } from "./fee.ts";
import { chargePeriod } from "./fees-due.ts";
import type { NewLot } from "./grant-credits.ts";
import {
  type AddOnUse,
  addToHistory,
  type ChangeDetail,
  type DueCharge,
  type Schedule,
  type Subscription,
  type SubscriptionChange,
} from "./subscription.ts";

/** What a turn brings an account. */
export interface Turn {
  readonly schedule: Schedule;
  /** The month's credits; null: the subscription has ended or is suspended. */
  readonly lot: NewLot | null;
  readonly fees: readonly Fee[];
  readonly changes: readonly SubscriptionChange[];
}

/**
 * Begins the subscription's next period, or ends a cancelled one whose paid stretch is over. Planned
 * changes take effect; plan and prices are those of the turn's instant. If the paid stretch is over,
 * the next one begins and its fee falls due.
 *
 * Add-ons are not charged yet: each becomes a due charge, because usage from before may still arrive.
 */
export function turnMonth(
  before: Schedule,
  subscription: Subscription,
  catalogue: Catalogue,
  timeZone: string,
): Turn {
  const at = subscription.nextPeriodAt;
  const next = beginPeriod(subscription, timeZone);
  if (next.cancelled && next.period >= next.paidUntil) {
    return { ...addToHistory(ended(before), [endOf(subscription)], bySchedule(at)), ...NOTHING };
  }
  const { withheld } = subscription;
  if (withheld !== null) return withhold(before, subscription, next, withheld);
  const { subscription: begun, fees } = chargePeriod(next, catalogue, at);
  const plan = planInForce(catalogue, begun.planId, at);
  const addOns = nextUses(before.addOns);
  const turned: Schedule = {
    ...before,
    subscription: { ...begun, periodCredits: plan.credits },
    addOns,
    dueCharges: [...before.dueCharges, ...chargesOf(begun, addOns, catalogue, at)],
  };
  const details = plansTakingEffect(subscription, begun, before.addOns);
  const expiresAt = endOfTurnsLot(plan.life, begun, timeZone);
  const lot = monthsLot(begun, plan, { at, expiresAt });
  return { ...addToHistory(turned, details, bySchedule(at)), lot, fees };
}

/**
 * The credits that the next turn brings if nothing is withheld, by the catalogue as it is; null: the
 * subscription ends with this period.
 */
export function nextCredits(
  { cancelled, period, paidUntil, planId, nextPlanId, nextPeriodAt }: Subscription,
  catalogue: Catalogue,
): MicroCredits | null {
  if (cancelled && period + 1 >= paidUntil) return null;
  return planInForce(catalogue, nextPlanId ?? planId, nextPeriodAt).credits;
}

/** A turn that brings no credits. */
const NOTHING = { lot: null, fees: [] } as const;

/** While a subscription is suspended, its months bring neither credits nor charges. */
function withhold(
  before: Schedule,
  subscription: Subscription,
  begun: Subscription,
  withheld: readonly number[],
): Turn {
  const turned: Schedule = {
    ...before,
    subscription: { ...begun, periodCredits: 0n, withheld: [...withheld, begun.period] },
    addOns: nextUses(before.addOns),
  };
  const details = plansTakingEffect(subscription, begun, before.addOns);
  const at = subscription.nextPeriodAt;
  return { ...addToHistory(turned, details, bySchedule(at)), ...NOTHING };
}

/** The schedule after its subscription has ended; waiting charges are still posted. */
export function ended(before: Schedule): Schedule {
  return { ...before, subscription: null, addOns: [] };
}

/** The end of a subscription, for the history. */
export function endOf({ planId }: Subscription): ChangeDetail {
  return { kind: "ended", detail: { plan: planId } };
}

/** The credits of a subscription's period, given at `at`. */
export function monthsLot(
  { number, period }: Pick<Subscription, "number" | "period">,
  { planId, credits }: Plan,
  { at, expiresAt }: { readonly at: Instant; readonly expiresAt: Instant | null },
): NewLot {
  return {
    lotId: REFERENCE.monthLot.write({ number, period }),
    credits,
    source: "plan",
    reference: planId,
    grantedAt: at,
    expiresAt,
  };
}

function beginPeriod(subscription: Subscription, timeZone: string): Subscription {
  const { anchor, nextPeriodAt: at, nextPlanId } = subscription;
  const period = subscription.period + 1;
  return {
    ...subscription,
    period,
    planId: nextPlanId ?? subscription.planId,
    nextPlanId: null,
    // A change of time zone may have delayed this turn beyond the next period's start.
    nextPeriodAt: Math.max(periodStart(anchor, period + 1, timeZone), at + 1),
  };
}

/** The planned changes that take effect, for the history. */
export function plansTakingEffect(
  before: Subscription,
  after: Subscription,
  addOns: readonly AddOnUse[],
): ChangeDetail[] {
  const details: ChangeDetail[] = [];
  if (after.interval !== before.interval) {
    const detail = { interval: after.interval, before: before.interval };
    details.push({ kind: "interval_changed", detail });
  }
  if (after.planId !== before.planId) {
    details.push({ kind: "plan_changed", detail: { plan: after.planId, before: before.planId } });
  }
  for (const { addOnId, quantity, nextQuantity } of addOns) {
    if (nextQuantity === quantity) continue;
    const detail = { add_on: addOnId, units: `${nextQuantity}`, before: `${quantity}` };
    details.push({ kind: "add_on_changed", detail });
  }
  return details;
}

function bySchedule(at: Instant): Pick<SubscriptionChange, "by" | "at"> {
  return { by: "schedule", at };
}

function nextUses(addOns: readonly AddOnUse[]): AddOnUse[] {
  return addOns
    .filter(({ nextQuantity }) => nextQuantity > 0)
    .map((use) => ({ ...use, quantity: use.nextQuantity }));
}

/** The charges of the current period's add-ons, due at `dueAt`. */
export function chargesOf(
  { number, period }: Subscription,
  addOns: readonly AddOnUse[],
  catalogue: Catalogue,
  dueAt: Instant,
): DueCharge[] {
  return addOns.map(({ addOnId, quantity: units }) => {
    const addOn = addOnAt(catalogue, addOnId, dueAt);
    if (addOn === null) throw new Error(`add-on ${addOnId} in use is not in the catalogue`);
    const price = addOnPrice(addOn, BigInt(units));
    // A turn cannot be refused, so a price beyond 64 bits is cut.
    const credits = price > MAX_BIGINT ? MAX_BIGINT : price;
    return { addOnId, number, period, units, credits, dueAt };
  });
}

/** The plan at an instant. Throws if it does not exist: a plan with a subscription never disappears. */
export function planInForce(catalogue: Catalogue, planId: string, at: Instant): Plan {
  const plan = planAt(catalogue, planId, at);
  if (plan === null) throw new Error(`plan ${planId} subscribed to is not in the catalogue`);
  return plan;
}

import type { Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import { REFERENCE } from "../line/reference.ts";
import type { Refusal } from "../line/refusal.ts";
import { endOfLot } from "../month/expiry.ts";
import { type Charged, creditsOfPeriod, type Paying, raisePrice } from "../month/fees-due.ts";
import { addLot, mostToGrant, type NewLot } from "../month/grant-credits.ts";
import type { Subscription } from "../month/subscription.ts";
import { type Catalogue, type Plan, planAt } from "../offer/catalogue.ts";
import { cannotPay, type PayingContext, unpaid, waitsForPayment } from "./paying-fees.ts";
import {
  type ChangeContext,
  type Changed,
  changed,
  planOnOffer,
  suspended,
} from "./subscription-change.ts";

type PlanChangeDecision =
  | Changed
  | Refusal<"no_subscription" | "subscription_suspended" | "no_change">
  | Refusal<"unknown_plan" | "no_plan_price" | "overflow" | "fee_unpaid" | "no_way_to_pay">;

/**
 * Changes the plan. A larger plan takes effect immediately and brings what it gives beyond the credits
 * that this period has brought, so going back and forth between plans gains nothing. Any other takes
 * effect with the next period. Choosing the current plan takes a scheduled change back. A dearer plan
 * that takes effect immediately is charged from this period on; any other with the next paid stretch.
 * The difference in credits comes immediately or with its fee's payment, as the larger plan says.
 */
export function decidePlanChange(planId: string, context: PayingContext): PlanChangeDecision {
  const { book, catalogue, now } = context;
  const { subscription } = book.schedule;
  if (subscription === null) return { kind: "no_subscription" };
  if (subscription.withheld !== null) return suspended(subscription);
  if (planId === (subscription.nextPlanId ?? subscription.planId)) {
    const from = planId === subscription.planId ? null : subscription.nextPeriodAt;
    return { kind: "no_change", setting: "plan", planId, from };
  }
  if (planId === subscription.planId) return planned(planId, null, subscription, context);
  const plan = planOnOffer(planId, context);
  if ("kind" in plan) return plan;

  const current = planAt(catalogue, subscription.planId, now);
  const refused = cannotPay(planId, subscription.interval, context);
  if (refused !== null) return refused;
  const isLarger =
    creditsOfPeriod(subscription, plan.credits) > subscription.periodCredits ||
    plan.credits > (current?.credits ?? plan.credits);
  return isLarger
    ? takeEffect(plan, subscription, context)
    : planned(planId, planId, subscription, context);
}

function planned(
  plan: string,
  nextPlanId: string | null,
  subscription: Subscription,
  context: ChangeContext,
): Changed {
  const schedule = { ...context.book.schedule, subscription: { ...subscription, nextPlanId } };
  return changed(context, { kind: "plan_change_planned", detail: { plan } }, { schedule });
}

function takeEffect(
  plan: Plan,
  subscription: Subscription,
  context: PayingContext,
): Changed | Refusal<"overflow" | "fee_unpaid"> {
  const { catalogue, now, book } = context;
  const open = feeInTheWay(subscription, context);
  if (open !== null) return open;
  const { account, schedule } = book;
  const before = { ...subscription, nextPlanId: null };
  const { subscription: onPlan, fees, difference } = takePlan(plan, before, catalogue, now);
  const detail = { plan: plan.planId, before: subscription.planId };
  const change = { kind: "plan_changed", detail } as const;
  const after = { schedule: { ...schedule, subscription: onPlan }, fees };
  if (difference === 0n) return changed(context, change, after);
  const most = mostToGrant(account);
  if (difference > most) return { kind: "overflow", most };
  const newLot = differenceLot(plan, difference, subscription, context);
  if (waitsForPayment(plan, fees, context)) {
    const brings = { lotId: newLot.lotId, credits: difference, life: plan.life };
    return changed(context, change, { ...after, fees: fees.map((fee) => ({ ...fee, brings })) });
  }
  const added = addLot(account, newLot);
  const { account: withLot, lot, entry } = added;
  return changed(context, change, { ...after, account: withLot, granted: [lot], entries: [entry] });
}

/** A declined fee, or one whose credits have not come, refuses more credits on the same subscription. */
function feeInTheWay(
  { number }: Subscription,
  { unpaidFees }: PayingContext,
): Refusal<"fee_unpaid"> | null {
  const open = unpaidFees.find(
    (fee) => fee.number === number && (fee.status !== "pending" || fee.brings !== null),
  );
  return open === undefined ? null : unpaid(open);
}

/** Changes to a plan in mid-period; `difference` is what it gives beyond the period's credits so far. */
export function takePlan<S extends Paying & Pick<Subscription, "periodCredits">>(
  { planId, credits }: Plan,
  before: S,
  catalogue: Catalogue,
  now: Instant,
): Charged<S> & { readonly difference: MicroCredits } {
  const { periodCredits } = before;
  const ofPeriod = creditsOfPeriod(before, credits);
  const difference = ofPeriod > periodCredits ? ofPeriod - periodCredits : 0n;
  const onPlan = { ...before, planId, periodCredits: periodCredits + difference };
  return { ...raisePrice(onPlan, catalogue, now), difference };
}

/** A lot granted in mid-period; its life counts from now. */
function differenceLot(
  { planId, credits, life }: Plan,
  difference: MicroCredits,
  { number, period }: Subscription,
  { book, now }: ChangeContext,
): NewLot {
  return {
    lotId: REFERENCE.raiseLot.write({ number, period, credits }),
    credits: difference,
    source: "plan",
    reference: planId,
    grantedAt: now,
    expiresAt: endOfLot(life, now, book.account.timeZone),
  };
}

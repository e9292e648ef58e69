import type { Refusal } from "../line/refusal.ts";
import { endOfLot } from "../month/expiry.ts";
import { chargePeriod, creditsOfPeriod } from "../month/fees-due.ts";
import { addLotThatFits, mostToGrant, type NewLot } from "../month/grant-credits.ts";
import type { Subscription } from "../month/subscription.ts";
import { monthsLot } from "../month/turn-of-month.ts";
import {
  anchorOf,
  type BillingInterval,
  firstPartOf,
  periodStart,
  type Renewal,
} from "../offer/billing-periods.ts";
import type { Plan } from "../offer/catalogue.ts";
import { cannotPay, owedFees, type PayingContext, unpaid, waitsForPayment } from "./paying-fees.ts";
import { type Changed, changed, planOnOffer } from "./subscription-change.ts";

/** The plan, how often it is paid, and when its months turn. */
export interface Subscribing {
  readonly planId: string;
  readonly interval: BillingInterval;
  readonly renewal: Renewal;
}

type SubscribeRefusal =
  | Refusal<"already_subscribed" | "unknown_plan" | "no_plan_price" | "overflow">
  | Refusal<"fee_unpaid" | "no_way_to_pay">;

/**
 * Subscribes an account: period 0 begins immediately, and its fee falls due. The month's credits come
 * with it, or once the fee is paid, as the plan says; until then months that begin are withheld.
 */
export function decideSubscribe(
  { planId, interval, renewal }: Subscribing,
  context: PayingContext,
): Changed | SubscribeRefusal {
  const { book, catalogue, currency, now, unpaidFees } = context;
  const { account, schedule } = book;
  if (schedule.subscription !== null) {
    const { planId: running, cancelled } = schedule.subscription;
    return { kind: "already_subscribed", planId: running, cancelled };
  }
  const plan = planOnOffer(planId, context);
  if ("kind" in plan) return plan;
  const [owed] = owedFees(unpaidFees, schedule);
  if (owed !== undefined) return unpaid(owed);
  const refused = cannotPay(planId, interval, context);
  if (refused !== null) return refused;
  const most = mostToGrant(account);
  if (plan.credits > most) return { kind: "overflow", most };

  const number = schedule.subscriptions + 1;
  const anchor = anchorOf(now, renewal, account.timeZone);
  const part = firstPartOf(anchor, now, account.timeZone);
  const begun: Subscription = {
    number,
    planId,
    interval,
    currency,
    anchor,
    subscribedAt: now,
    period: 0,
    nextPeriodAt: periodStart(anchor, 1, account.timeZone),
    firstPart: plan.firstMonth === "by_days" ? part : null,
    periodCredits: 0n,
    paidUntil: 0,
    paidPrice: 0n,
    nextPlanId: null,
    nextInterval: null,
    cancelled: false,
    withheld: null,
  };
  const { subscription: charged, fees } = chargePeriod(begun, catalogue, now);
  const lot = firstLot(plan, charged, context);
  const waits = waitsForPayment(plan, fees, context);
  const subscription = { ...charged, periodCredits: lot.credits, withheld: waits ? [] : null };
  const after = { ...schedule, subscription, addOns: [], subscriptions: number };
  const days = { days: `${part.days}`, of_days: `${part.of}` };
  const detail = { plan: planId, interval, renewal, number: `${number}`, ...days };
  if (waits) {
    const brings = { lotId: lot.lotId, credits: lot.credits, life: plan.life };
    return changed(
      context,
      { kind: "subscribed", detail: { ...detail, waits: "payment" } },
      { schedule: after, fees: fees.map((fee) => ({ ...fee, brings })) },
    );
  }
  const added = addLotThatFits(account, lot);
  return changed(
    context,
    { kind: "subscribed", detail },
    {
      account: added?.account ?? account,
      schedule: after,
      granted: added === null ? [] : [added.lot],
      entries: added === null ? [] : [added.entry],
      fees,
    },
  );
}

/** Of a first part of a month, its share of the credits. */
function firstLot(plan: Plan, subscription: Subscription, { book, now }: PayingContext): NewLot {
  const expiresAt = endOfLot(plan.life, now, book.account.timeZone);
  const lot = monthsLot(subscription, plan, { at: now, expiresAt });
  return { ...lot, credits: creditsOfPeriod(subscription, plan.credits) };
}

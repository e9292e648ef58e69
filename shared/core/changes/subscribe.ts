import type { Refusal } from "../line/refusal.ts";
import { chargePeriod } from "../month/fees-due.ts";
import { addLot, mostToGrant } from "../month/grant-credits.ts";
import { monthsLot } from "../month/turn-of-month.ts";
import {
  anchorOf,
  type BillingInterval,
  periodStart,
  type Renewal,
} from "../offer/billing-periods.ts";
import { type ChangeContext, type Changed, changed, planOnOffer } from "./subscription-change.ts";

/** The plan, how often it is paid, and when its months turn. */
export interface Subscribing {
  readonly planId: string;
  readonly interval: BillingInterval;
  readonly renewal: Renewal;
}

/** Subscribes an account: period 0 begins immediately, with the month's credits and the first fee. */
export function decideSubscribe(
  { planId, interval, renewal }: Subscribing,
  context: ChangeContext,
): Changed | Refusal<"already_subscribed" | "unknown_plan" | "no_plan_price" | "overflow"> {
  const { book, catalogue, currency, now } = context;
  const { account, schedule } = book;
  if (schedule.subscription !== null) {
    const { planId: running, cancelled } = schedule.subscription;
    return { kind: "already_subscribed", planId: running, cancelled };
  }
  const plan = planOnOffer(planId, context);
  if ("kind" in plan) return plan;
  const most = mostToGrant(account);
  if (plan.credits > most) return { kind: "overflow", most };

  const number = schedule.subscriptions + 1;
  const anchor = anchorOf(now, renewal, account.timeZone);
  const begun = {
    number,
    planId,
    interval,
    currency,
    anchor,
    subscribedAt: now,
    period: 0,
    nextPeriodAt: periodStart(anchor, 1, account.timeZone),
    periodCredits: plan.credits,
    paidUntil: 0,
    paidPrice: 0n,
    nextPlanId: null,
    nextInterval: null,
    cancelled: false,
    withheld: null,
  };
  const { subscription, fees } = chargePeriod(begun, catalogue, now);
  const added = addLot(account, monthsLot(subscription, plan, now, account.timeZone));
  const detail = { plan: planId, interval, renewal, number: `${number}` };
  return changed(
    context,
    { kind: "subscribed", detail },
    {
      account: added.account,
      schedule: { ...schedule, subscription, addOns: [], subscriptions: number },
      granted: [added.lot],
      entries: [added.entry],
      fees,
    },
  );
}

import type { Account, Entry } from "../line/account.ts";
import { endOfLot } from "../month/expiry.ts";
import type { FeeRef } from "../month/fee.ts";
import { chargePeriod } from "../month/fees-due.ts";
import { addLotThatFits, type GrantedLot, type NewLot } from "../month/grant-credits.ts";
import type { Schedule, Subscription } from "../month/subscription.ts";
import {
  chargesOf,
  ended,
  endOf,
  monthsLot,
  planInForce,
  plansTakingEffect,
} from "../month/turn-of-month.ts";
import type { Plan } from "../offer/catalogue.ts";
import { type ChangeContext, type Changed, changed } from "./subscription-change.ts";

export interface FeePaidContext extends ChangeContext {
  /** The number of the subscription's other fees that are failed. */
  readonly owing: number;
}

export type FeePaidDecision =
  | Changed
  /** It was paid in time, other fees are still owed, or its subscription has ended. */
  | { readonly kind: "no_change" };

/**
 * Restores a suspended subscription once all its fees are paid.
 *
 * - Months that were charged and withheld are given now, under the plan's current terms.
 * - Months after the charged ones and before the current one are neither given nor charged.
 * - If the charged stretch is over, a paid stretch begins with the current period and its fee falls
 *   due; a subscription that was cancelled meanwhile ends instead.
 */
export function decideFeePaid(fee: FeeRef, context: FeePaidContext): FeePaidDecision {
  const { subscription } = context.book.schedule;
  if (subscription?.number !== fee.number || subscription.withheld === null || context.owing > 0) {
    return { kind: "no_change" };
  }
  const { withheld, period, paidUntil, planId, cancelled } = subscription;
  const change = { kind: "restored", detail: { plan: planId, period: `${fee.period}` } } as const;
  const charged = withheld.filter((month) => month < paidUntil);
  const isOver = period >= paidUntil;
  if (isOver && cancelled) {
    return changed(context, change, {
      ...giveMonths(charged, subscription, context),
      schedule: ended(context.book.schedule),
      tookEffect: [endOf(subscription)],
    });
  }
  const restored = { ...subscription, withheld: null };
  const { subscription: paid, fees } = chargePeriod(restored, context.catalogue, context.now);
  const months = isOver ? [...charged, period] : charged;
  return changed(context, change, {
    ...giveMonths(months, paid, context),
    schedule: withMonth(paid, withheld.includes(period), context),
    fees,
    tookEffect: plansTakingEffect(subscription, paid, []),
  });
}

/** If the current period began without credits, it owes its add-ons from now on. */
function withMonth(
  subscription: Subscription,
  wasWithheld: boolean,
  { book, catalogue, now }: ChangeContext,
): Schedule {
  const { schedule } = book;
  if (!wasWithheld) return { ...schedule, subscription };
  const { credits } = planInForce(catalogue, subscription.planId, now);
  const charges = chargesOf(subscription, schedule.addOns, catalogue, now);
  return {
    ...schedule,
    subscription: { ...subscription, periodCredits: credits },
    dueCharges: [...schedule.dueCharges, ...charges],
  };
}

/** Like a turn, this cannot be refused: lots are cut to what fits on the line. */
function giveMonths(
  periods: readonly number[],
  subscription: Subscription,
  { book, catalogue, now }: ChangeContext,
): { account: Account; granted: GrantedLot[]; entries: Entry[] } {
  const plan = planInForce(catalogue, subscription.planId, now);
  let { account } = book;
  const granted: GrantedLot[] = [];
  const entries: Entry[] = [];
  for (const period of periods) {
    const added = addLotThatFits(account, lotOf(period, subscription, plan, account, now));
    if (added === null) break;
    account = added.account;
    granted.push(added.lot);
    entries.push(added.entry);
  }
  return { account, granted, entries };
}

/** The life of a past month's lot counts from now, like that of a lot given in mid-period. */
function lotOf(
  period: number,
  subscription: Subscription,
  plan: Plan,
  { timeZone }: Account,
  now: number,
): NewLot {
  const lot = monthsLot({ ...subscription, period }, plan, now, timeZone);
  if (period === subscription.period) return lot;
  return { ...lot, expiresAt: endOfLot(plan.life, now, timeZone) };
}

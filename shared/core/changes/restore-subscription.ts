import type { Account, Entry } from "../line/account.ts";
import { REFERENCE } from "../line/reference.ts";
import { endOfLot } from "../month/expiry.ts";
import type { Fee, FeeRef } from "../month/fee.ts";
import { chargePeriod } from "../month/fees-due.ts";
import { addLotThatFits, type GrantedLot, type NewLot } from "../month/grant-credits.ts";
import type { ChangeDetail, Schedule, Subscription } from "../month/subscription.ts";
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
  /** It was paid in time and brings nothing, other fees are still owed, or its subscription has ended. */
  | { readonly kind: "no_change" };

/** What of a fee decides what its payment brings. */
type PaidFee = FeeRef & Pick<Fee, "planId" | "brings">;

/**
 * What the payment of a fee brings: its own credits, even if the subscription has ended meanwhile, and
 * what `restore` does once no fee is owed any more.
 */
export function decideFeePaid(fee: PaidFee, context: FeePaidContext): FeePaidDecision {
  const { subscription } = context.book.schedule;
  const own = ownCredits(fee, context);
  if (subscription?.number !== fee.number || subscription.withheld === null || context.owing > 0) {
    return own === null
      ? { kind: "no_change" }
      : changed(context, own.change, give(own.lots, context));
  }
  return restore(fee, own, { ...subscription, withheld: subscription.withheld }, context);
}

interface OwnCredits {
  readonly change: ChangeDetail;
  readonly lots: readonly NewLot[];
}

/** The lot that a fee brings; its life counts from now. */
function ownCredits(
  { number, period, planId, brings }: PaidFee,
  { book, now }: ChangeContext,
): OwnCredits | null {
  if (brings === null) return null;
  const { lotId, credits, life } = brings;
  const isFirst = lotId === REFERENCE.monthLot.write({ number, period });
  return {
    change: { kind: isFirst ? "started" : "raise_paid", detail: { plan: planId } },
    lots: [
      {
        ...{ lotId, credits, source: "plan", reference: planId, grantedAt: now },
        expiresAt: endOfLot(life, now, book.account.timeZone),
      },
    ],
  };
}

type Withheld = Subscription & { readonly withheld: readonly number[] };

/**
 * Restores a suspended subscription, or starts one that waited for its first payment.
 *
 * - Months that were charged and withheld are given now, under the plan's current terms.
 * - Months after the charged ones and before the current one are neither given nor charged.
 * - If the charged stretch is over, a paid stretch begins with the current period and its fee falls
 *   due; a subscription that was cancelled meanwhile ends instead.
 */
function restore(
  fee: PaidFee,
  own: OwnCredits | null,
  subscription: Withheld,
  context: ChangeContext,
): Changed {
  const { withheld, period, paidUntil, planId, cancelled } = subscription;
  const restored = { kind: "restored", detail: { plan: planId, period: `${fee.period}` } } as const;
  const [change, alsoRestored] =
    own === null ? [restored, []] : [own.change, own.change.kind === "started" ? [] : [restored]];
  const charged = withheld.filter((month) => month < paidUntil);
  const isOver = period >= paidUntil;
  const lots = own?.lots ?? [];
  if (isOver && cancelled) {
    return changed(context, change, {
      ...give([...lots, ...lotsOf(charged, subscription, context)], context),
      schedule: ended(context.book.schedule),
      tookEffect: [...alsoRestored, endOf(subscription)],
    });
  }
  const { subscription: paid, fees } = chargePeriod(
    { ...subscription, withheld: null },
    context.catalogue,
    context.now,
  );
  const months = isOver ? [...charged, period] : charged;
  return changed(context, change, {
    ...give([...lots, ...lotsOf(months, paid, context)], context),
    schedule: withMonth(paid, withheld.includes(period), context),
    fees,
    tookEffect: [...alsoRestored, ...plansTakingEffect(subscription, paid, [])],
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
function give(
  lots: readonly NewLot[],
  { book }: ChangeContext,
): { account: Account; granted: GrantedLot[]; entries: Entry[] } {
  let { account } = book;
  const granted: GrantedLot[] = [];
  const entries: Entry[] = [];
  for (const lot of lots) {
    const added = addLotThatFits(account, lot);
    if (added === null) break;
    account = added.account;
    granted.push(added.lot);
    entries.push(added.entry);
  }
  return { account, granted, entries };
}

function lotsOf(
  periods: readonly number[],
  subscription: Subscription,
  { book, catalogue, now }: ChangeContext,
): NewLot[] {
  const plan = planInForce(catalogue, subscription.planId, now);
  return periods.map((period) => lotOf(period, subscription, plan, book.account, now));
}

/** It is given in mid-period, so its life counts from now. */
function lotOf(
  period: number,
  subscription: Subscription,
  plan: Plan,
  { timeZone }: Account,
  now: number,
): NewLot {
  const expiresAt = endOfLot(plan.life, now, timeZone);
  return monthsLot({ ...subscription, period }, plan, { at: now, expiresAt });
}

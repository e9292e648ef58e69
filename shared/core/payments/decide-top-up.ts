import type { Account, Instant } from "../line/account.ts";
import { balanceOf } from "../line/credit-line.ts";
import { REFERENCE } from "../line/reference.ts";
import type { Refusal } from "../line/refusal.ts";
import { mostToGrant } from "../month/grant-credits.ts";
import { type Catalogue, type CreditPrice, creditPriceAt } from "../offer/catalogue.ts";
import { startOfNextDay, startOfNextMonth } from "../offer/months.ts";
import { toSentence } from "../text/text.ts";
import { type AutoTopUp, amountsOf, type TopUpNotice } from "./auto-top-up.ts";
import { MOST_CHARGED, refuseAmount } from "./charge-limits.ts";
import { NO_PAYMENT_METHOD } from "./decline.ts";
import type { NewTopUp } from "./payment.ts";
import { creditsFor, timesToLift } from "./size-top-up.ts";

/** What a top-up is judged against, read while the account's row is held. */
export interface TopUpContext {
  /** Settled up to `now`, so that nothing is charged a second before the month's credits. */
  readonly account: Account;
  /** ISO 4217. */
  readonly currency: string;
  readonly catalogue: Catalogue;
  readonly auto: AutoTopUp;
  /** There is something to pay with. */
  readonly hasMethod: boolean;
  /** A top-up of the account is pending. */
  readonly inFlight: boolean;
  /** What was charged, or may have been, for top-ups in this day and month of its time zone; minor units. */
  readonly spent: { readonly today: bigint; readonly thisMonth: bigint };
  readonly now: Instant;
}

/** Where auto top-up stands after a look at the account. */
export interface AutoTopUpDecision {
  readonly auto: AutoTopUp;
  /** To be charged; null: nothing. */
  readonly topUp: NewTopUp | null;
  readonly notices: readonly TopUpNotice[];
}

/** When what the operators have to mend is looked at again. */
const LOOK_AGAIN_MS = 60 * 60 * 1000;

/**
 * Decides whether an account that may be low is topped up now, and by how much: the set amount, or as
 * many whole multiples of it in one charge as bring the balance above the threshold, within the limits
 * of the day and the month. Looking again changes nothing: a top-up's identity is the crossing, and
 * while one is pending none is added.
 */
export function decideAutoTopUp(declinedBefore: number, context: TopUpContext): AutoTopUpDecision {
  const { account, auto, now } = context;
  const waits = auto.enabled && auto.stopped === null && !context.inFlight;
  if (!waits || !isLow(account)) return stays({ ...auto, lookAt: null });
  if (auto.pausedUntil !== null && auto.pausedUntil > now) {
    return stays({ ...auto, lookAt: auto.pausedUntil });
  }
  const crossing = account.crossings;
  const topUpId = REFERENCE.automaticTopUp.write({ crossing, attempt: declinedBefore + 1 });
  if (!context.hasMethod) return stopped(toSentence(NO_PAYMENT_METHOD), topUpId, context);
  const price = creditPriceAt(context.catalogue, context.currency, now);
  if (price === null) {
    const reason = `Credits cannot be bought in ${context.currency} at the moment.`;
    return paused(now + LOOK_AGAIN_MS, reason, topUpId, context);
  }
  return sized(topUpId, price, context);
}

/** True for an account that was said to be low and still is. */
export function isLow(account: Account): boolean {
  return account.lowBalance && balanceOf(account) <= account.threshold;
}

function sized(topUpId: string, price: CreditPrice, context: TopUpContext): AutoTopUpDecision {
  const { account, auto, currency, now } = context;
  const { amount } = amountsOf(auto, currency);
  const asked = timesToLift(amount, account.threshold - balanceOf(account), price);
  const { left, until } = leftOf(context);
  const times = least(asked, left / amount, MOST_CHARGED / amount);
  if (times < 1n) {
    const when = until.kind === "day" ? "today" : "this month";
    return paused(until.at, `The limit for top-ups ${when} is reached.`, topUpId, context);
  }
  const topUp: NewTopUp = {
    paymentId: topUpId,
    amount: amount * times,
    currency,
    credits: creditsFor(amount * times, price),
    life: price.life,
  };
  if (topUp.credits > mostToGrant(account)) {
    const reason = "The account cannot hold that many credits.";
    return paused(now + LOOK_AGAIN_MS, reason, topUpId, context);
  }
  return {
    auto: { ...auto, pausedUntil: null, lookAt: null },
    topUp,
    notices: [noticeOf(topUp, "pending", "")],
  };
}

/** What the limits leave, in minor units, and when the one that leaves less begins anew. */
function leftOf({ account, auto, currency, spent, now }: TopUpContext): {
  left: bigint;
  until: { kind: "day" | "month"; at: Instant };
} {
  const { perDay, perMonth } = amountsOf(auto, currency);
  const today = perDay - spent.today;
  const thisMonth = perMonth - spent.thisMonth;
  return today < thisMonth
    ? { left: today, until: { kind: "day", at: startOfNextDay(now, account.timeZone) } }
    : { left: thisMonth, until: { kind: "month", at: startOfNextMonth(now, account.timeZone) } };
}

function least(...amounts: readonly bigint[]): bigint {
  return amounts.reduce((a, b) => (a < b ? a : b));
}

function stays(auto: AutoTopUp): AutoTopUpDecision {
  return { auto, topUp: null, notices: [] };
}

function paused(
  until: Instant,
  reason: string,
  topUpId: string,
  { auto, currency }: TopUpContext,
): AutoTopUpDecision {
  const after = { ...auto, pausedUntil: until, lookAt: until };
  return {
    auto: after,
    topUp: null,
    notices: [standstill(topUpId, "paused", reason, auto, currency)],
  };
}

function stopped(
  reason: string,
  topUpId: string,
  { auto, currency }: TopUpContext,
): AutoTopUpDecision {
  const after = { ...auto, stopped: reason, lookAt: null };
  return {
    auto: after,
    topUp: null,
    notices: [standstill(topUpId, "stopped", reason, auto, currency)],
  };
}

function standstill(
  topUpId: string,
  status: "paused" | "stopped",
  reason: string,
  auto: AutoTopUp,
  currency: string,
): TopUpNotice {
  return {
    topUpId,
    status,
    reason,
    currency,
    amount: amountsOf(auto, currency).amount,
    credits: 0n,
  };
}

/** A notice of a top-up itself. */
export function noticeOf(
  { paymentId, amount, currency, credits }: NewTopUp,
  status: TopUpNotice["status"],
  reason: string,
): TopUpNotice {
  return { topUpId: paymentId, status, amount, currency, credits, reason };
}

/** What a customer asks for by hand, in minor units of the account's currency. */
export interface ManualTopUp {
  readonly paymentId: string;
  readonly amount: bigint;
}

export type ManualTopUpDecision =
  | { readonly kind: "pending"; readonly topUp: NewTopUp; readonly notices: readonly TopUpNotice[] }
  | Refusal<"below_minimum" | "above_maximum" | "above_limit" | "overflow">
  | Refusal<"no_payment_method" | "top_up_pending" | "no_credit_price">;

/** Decides on a top-up made by hand: exactly the amount asked for, or a refusal. */
export function decideManualTopUp(
  { paymentId, amount }: ManualTopUp,
  context: TopUpContext,
): ManualTopUpDecision {
  const { account, currency, catalogue, now } = context;
  const uncharged = refuseAmount(amount, currency);
  if (uncharged !== null) return uncharged;
  if (!context.hasMethod) return { kind: "no_payment_method" };
  if (context.inFlight) return { kind: "top_up_pending" };
  const { left } = leftOf(context);
  if (amount > left) return { kind: "above_limit", left: left < 0n ? 0n : left, currency };
  const price = creditPriceAt(catalogue, currency, now);
  if (price === null) return { kind: "no_credit_price", currency };
  const topUp: NewTopUp = {
    ...{ paymentId, amount, currency, life: price.life },
    credits: creditsFor(amount, price),
  };
  const most = mostToGrant(account);
  if (topUp.credits > most) return { kind: "overflow", most };
  return { kind: "pending", topUp, notices: [noticeOf(topUp, "pending", "")] };
}

import type { Account, Instant } from "../line/account.ts";
import { balanceOf, least } from "../line/credit-line.ts";
import { waitsForNeed } from "../line/low-balance.ts";
import { REFERENCE } from "../line/reference.ts";
import type { Refusal } from "../line/refusal.ts";
import { mostToGrant } from "../month/grant-credits.ts";
import { type Catalogue, type CreditPrice, creditPriceAt } from "../offer/catalogue.ts";
import { formatCredits } from "../text/credits-text.ts";
import { toSentence } from "../text/text.ts";
import { type AutoTopUp, amountsOf, type TopUpNotice } from "./auto-top-up.ts";
import { ceilingsOf, refuseAboveCeiling } from "./ceilings.ts";
import { refuseAmount } from "./charge-limits.ts";
import { NO_PAYMENT_METHOD } from "./decline.ts";
import type { NewTopUp } from "./payment.ts";
import { creditsFor, timesToLift } from "./size-top-up.ts";
import { type LimitContext, leftOf, limitReached } from "./tighter-limit.ts";

/** What a top-up is decided on, read while the account's row is locked. */
export interface TopUpContext extends LimitContext {
  readonly catalogue: Catalogue;
  /** The account has a payment method. */
  readonly hasMethod: boolean;
  /** A top-up of the account is pending. */
  readonly inFlight: boolean;
  /** The gateway has charges of the account that the books lack, or may have. */
  readonly mayLackCharges: boolean;
}

/** The state of auto top-up after a check of the account. */
export interface AutoTopUpDecision {
  readonly auto: AutoTopUp;
  /** To be charged; null: none. */
  readonly topUp: NewTopUp | null;
  readonly notices: readonly TopUpNotice[];
}

/** How long to wait for operators to fix a problem. */
const RECHECK_MS = 60 * 60 * 1000;
/** How long to wait for charges at the gateway to come into the books. */
const LACKING_RECHECK_MS = 10_000;

/**
 * Decides whether to top up an account that may be low and need credits, and by how much: the smallest
 * multiple of the set amount that brings the balance above the threshold, within the limits of the day
 * and the month. What is at the gateway and not in the books may have met the need, so it comes first.
 * Deciding again changes nothing: a top-up is identified by its crossing, and only one is pending. `tries`: the
 * number of the last top-up of this crossing; 0: none.
 */
export function decideAutoTopUp(tries: number, context: TopUpContext): AutoTopUpDecision {
  const { account, auto, now } = context;
  const waits = auto.enabled && auto.stopped === null && !context.inFlight;
  if (!waits || !needsCredits(account)) return stays({ ...auto, lookAt: null });
  if (auto.pausedUntil !== null && auto.pausedUntil > now) {
    return stays({ ...auto, lookAt: auto.pausedUntil });
  }
  if (context.mayLackCharges) return stays({ ...auto, lookAt: now + LACKING_RECHECK_MS });
  const crossing = account.crossings;
  const topUpId = REFERENCE.automaticTopUp.write({ crossing, attempt: tries + 1 });
  if (!context.hasMethod) return stopped(toSentence(NO_PAYMENT_METHOD), topUpId, context);
  const price = creditPriceAt(context.catalogue, context.currency, now);
  if (price === null) {
    const reason = `Credits cannot be bought in ${context.currency} at the moment.`;
    return paused(now + RECHECK_MS, reason, topUpId, context);
  }
  return sized(topUpId, price, context);
}

/** True for an account whose low balance was published, that is still low, and that needs credits. */
export function needsCredits(account: Account): boolean {
  const isLow = account.lowBalance && balanceOf(account) <= account.threshold;
  return isLow && !waitsForNeed(account);
}

function sized(topUpId: string, price: CreditPrice, context: TopUpContext): AutoTopUpDecision {
  const { account, auto, now } = context;
  const { amount } = amountsOf(auto, context);
  const needed = timesToLift(amount, account.threshold - balanceOf(account), price);
  const tighter = leftOf(context);
  const most = ceilingsOf(auto.ceilings, context).amount;
  const times = least(needed, tighter.left / amount, most / amount);
  if (times < 1n) return paused(tighter.until, limitReached(tighter, context), topUpId, context);
  const topUp = newTopUp(topUpId, amount * times, price, needText(account));
  if (topUp.credits > mostToGrant(account)) {
    const reason = "The account cannot hold that many credits.";
    return paused(now + RECHECK_MS, reason, topUpId, context);
  }
  return {
    auto: { ...auto, pausedUntil: null, lookAt: null },
    topUp,
    notices: [noticeOf(topUp, "pending", topUp.reason)],
  };
}

/** Why an account is topped up automatically, as a sentence for the customer. */
function needText(account: Account): string {
  const [balance, threshold] = [balanceOf(account), account.threshold].map(formatCredits);
  return `The balance was ${balance} credits; auto top-up buys more at ${threshold} or less.`;
}

function stays(auto: AutoTopUp): AutoTopUpDecision {
  return { auto, topUp: null, notices: [] };
}

function paused(
  until: Instant,
  reason: string,
  topUpId: string,
  context: TopUpContext,
): AutoTopUpDecision {
  const auto = { ...context.auto, pausedUntil: until, lookAt: until };
  return notCharged({ topUpId, status: "paused", reason }, { ...context, auto });
}

function stopped(reason: string, topUpId: string, context: TopUpContext): AutoTopUpDecision {
  const auto = { ...context.auto, stopped: reason, lookAt: null };
  return notCharged({ topUpId, status: "stopped", reason }, { ...context, auto });
}

function notCharged(
  notice: Pick<TopUpNotice, "topUpId" | "status" | "reason">,
  context: TopUpContext,
): AutoTopUpDecision {
  const { auto, currency } = context;
  const { amount } = amountsOf(auto, context);
  return { auto, topUp: null, notices: [{ ...notice, amount, currency, credits: 0n }] };
}

function newTopUp(paymentId: string, amount: bigint, price: CreditPrice, reason: string): NewTopUp {
  const { currency, life } = price;
  return { paymentId, amount, currency, credits: creditsFor(amount, price), life, reason };
}

/** The record to publish about a top-up. */
export function noticeOf(
  { paymentId, amount, currency, credits }: Omit<NewTopUp, "reason">,
  status: TopUpNotice["status"],
  reason: string,
): TopUpNotice {
  return { topUpId: paymentId, status, amount, currency, credits, reason };
}

/** A top-up made by hand, in minor units of the account's currency. */
export interface ManualTopUp {
  readonly paymentId: string;
  readonly amount: bigint;
}

export type ManualTopUpDecision =
  | { readonly kind: "pending"; readonly topUp: NewTopUp; readonly notices: readonly TopUpNotice[] }
  | Refusal<"below_minimum" | "above_maximum" | "above_ceiling" | "above_limit" | "overflow">
  | Refusal<"no_payment_method" | "top_up_pending" | "no_credit_price">;

/** Decides a top-up made by hand: exactly the requested amount, or a refusal. */
export function decideManualTopUp(
  { paymentId, amount }: ManualTopUp,
  context: TopUpContext,
): ManualTopUpDecision {
  const { account, auto, currency, catalogue, now } = context;
  const uncharged =
    refuseAboveCeiling("top_up", amount, ceilingsOf(auto.ceilings, context), context) ??
    refuseAmount(amount, context);
  if (uncharged !== null) return uncharged;
  if (!context.hasMethod) return { kind: "no_payment_method" };
  if (context.inFlight) return { kind: "top_up_pending" };
  const { until: _, ...tighter } = leftOf(context);
  if (amount > tighter.left) {
    const left = tighter.left < 0n ? 0n : tighter.left;
    return { kind: "above_limit", ...tighter, left, currency };
  }
  const price = creditPriceAt(catalogue, currency, now);
  if (price === null) return { kind: "no_credit_price", currency };
  const topUp = newTopUp(paymentId, amount, price, "");
  const most = mostToGrant(account);
  if (topUp.credits > most) return { kind: "overflow", most };
  return { kind: "pending", topUp, notices: [noticeOf(topUp, "pending", "")] };
}

import type { Account, Entry, Instant } from "../line/account.ts";
import type { Refusal } from "../line/refusal.ts";
import { type AccountBook, isTurnDue } from "../month/account-book.ts";
import type { Fee } from "../month/fee.ts";
import { type GrantedLot, toLot } from "../month/grant-credits.ts";
import { finishMovement, type Settlement } from "../month/settle.ts";
import {
  addToHistory,
  type ChangeDetail,
  type Schedule,
  type Subscription,
} from "../month/subscription.ts";
import { type Catalogue, type Plan, planAt } from "../offer/catalogue.ts";

/** What a change is judged against, read in one transaction. */
export interface ChangeContext {
  /** Settled up to `now`: what fell due before the change is posted under what held then. */
  readonly book: AccountBook;
  readonly catalogue: Catalogue;
  /** The account's; a plan without a price in it cannot be had. */
  readonly currency: string;
  readonly now: Instant;
  /** Who asks, for the history. */
  readonly by: string;
}

/** The change was made: the book after it, and what it posted. */
export interface Changed extends Settlement {
  readonly kind: "changed";
}

/** Decides on one change of an account. */
export type Change = (context: ChangeContext) => Changed | Refusal;

/** What holds after a change, and what it posted; what is left out stays as it was. */
interface After {
  readonly account?: Account;
  readonly schedule?: Schedule;
  readonly granted?: readonly GrantedLot[];
  readonly entries?: readonly Entry[];
  readonly fees?: readonly Fee[];
  /** What was planned and came true by the change, for the history. */
  readonly tookEffect?: readonly ChangeDetail[];
}

/** Makes a change: change in the history, and one movement. Throws when the book is not settled. */
export function changed(
  { book, by, now }: ChangeContext,
  change: ChangeDetail,
  after: After,
): Changed {
  const { account = book.account, granted = [], entries = [], fees = [], tookEffect = [] } = after;
  if (isTurnDue(book.schedule, now)) {
    throw new Error(`account ${account.accountId} is to be settled before it is changed`);
  }
  const all = [change, ...tookEffect];
  const { schedule, changes } = addToHistory(after.schedule ?? book.schedule, all, {
    by,
    at: now,
  });
  const lots = [...book.lots, ...granted.map(toLot)];
  const posted = { entries, granted, changes, fees };
  return { kind: "changed", ...finishMovement({ account, lots, schedule }, posted) };
}

/** The plan as it is on offer now in the account's currency, or why it cannot be had. */
export function planOnOffer(
  planId: string,
  { catalogue, currency, now }: ChangeContext,
): Plan | Refusal<"unknown_plan" | "no_plan_price"> {
  const plan = planAt(catalogue, planId, now);
  if (plan === null) return { kind: "unknown_plan", planId };
  const isPriced = plan.prices.some((price) => price.currency === currency);
  return isPriced ? plan : { kind: "no_plan_price", planId, currency };
}

/** Refuses what a subscription does not do while one of its fees is given up. */
export function suspended({
  paidPrice: price,
  currency,
  interval,
}: Subscription): Refusal<"subscription_suspended"> {
  return { kind: "subscription_suspended", price, currency, interval };
}

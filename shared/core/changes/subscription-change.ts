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

/** What a change is decided on, read in one transaction. */
export interface ChangeContext {
  /** Settled up to `now`: what was due before the change is posted under the old terms. */
  readonly book: AccountBook;
  readonly catalogue: Catalogue;
  /** The account's (ISO 4217); a plan without a price in it is not available. */
  readonly currency: string;
  readonly now: Instant;
  /** Who makes the change, for the history. */
  readonly by: string;
}

/** The book after a change, and what it posted. */
export interface Changed extends Settlement {
  readonly kind: "changed";
  /** What was posted before it (`settleEnded`), where it charges credits immediately. */
  readonly ended?: Settlement;
}

/** The account and schedule after a change, and what it posted; the default is no change. */
interface After {
  readonly account?: Account;
  readonly schedule?: Schedule;
  readonly granted?: readonly GrantedLot[];
  readonly entries?: readonly Entry[];
  readonly fees?: readonly Fee[];
  /** Planned changes that took effect with it, for the history. */
  readonly tookEffect?: readonly ChangeDetail[];
}

/** Makes a change: one movement, with its entry in the history. Throws if the book is not settled. */
export function changed(
  { book, by, now }: ChangeContext,
  change: ChangeDetail,
  after: After,
): Changed {
  const { account = book.account, granted = [], entries = [], fees = [], tookEffect = [] } = after;
  if (isTurnDue(book.schedule, now)) {
    throw new Error(`account ${account.accountId} must be settled before it is changed`);
  }
  const all = [change, ...tookEffect];
  const made = { by, at: now };
  const { schedule, changes } = addToHistory(after.schedule ?? book.schedule, all, made);
  const lots = [...book.lots, ...granted.map(toLot)];
  const posted = { entries, granted, changes, fees };
  return { kind: "changed", ...finishMovement({ account, lots, schedule }, posted) };
}

/** The plan as it is on offer now in the account's currency, or why it is not. */
export function planOnOffer(
  planId: string,
  { catalogue, currency, now }: ChangeContext,
): Plan | Refusal<"unknown_plan" | "no_plan_price"> {
  const plan = planAt(catalogue, planId, now);
  if (plan === null) return { kind: "unknown_plan", planId };
  const isPriced = plan.prices.some((price) => price.currency === currency);
  return isPriced ? plan : { kind: "no_plan_price", planId, currency };
}

/** The refusal of what a suspended subscription does not allow. */
export function suspended({
  paidPrice: price,
  currency,
  interval,
}: Subscription): Refusal<"subscription_suspended"> {
  return { kind: "subscription_suspended", price, currency, interval };
}

import { endOfOtherLot, type MonthBooks, postGrant } from "./month-books.ts";
import { chargeStretch } from "./month-fees.ts";
import { grantForPeriod, oweForPeriod } from "./month-settle.ts";
import { type Catalogue, type MonthSubscription, versionAt } from "./month-terms.ts";
import { sayAgainIfLow } from "./naive-books.ts";

/** What follows when a fee is given up, and when it is paid after all, each on a settled account. */

export function feeGivenUp(
  { subscription }: MonthBooks,
  { number }: { readonly number: number },
): "suspended" | "no_change" {
  if (subscription === null || subscription.number !== number) return "no_change";
  if (subscription.withheld !== null) return "no_change";
  subscription.withheld = [];
  return "suspended";
}

/** The outcome names everything the history records. */
export function feePaid(
  books: MonthBooks,
  catalogue: Catalogue,
  paid: { readonly number: number; readonly owing: number; readonly paymentId?: string },
  now: number,
): string {
  const posted = books.posted.length;
  const told = [ownCredits(books, paid.paymentId, now), restored(books, catalogue, paid, now)];
  if (books.posted.length > posted) sayAgainIfLow(books);
  return told.filter((what) => what !== null).join(", ") || "no_change";
}

/** The lot that waited for this fee. */
function ownCredits(books: MonthBooks, paymentId: string | undefined, now: number): string | null {
  const fee = books.fees.find((one) => one.paymentId === paymentId);
  if (fee === undefined || fee.brings === null) return null;
  const { lotId, credits, life } = fee.brings;
  fee.brings = null;
  const expiresAt = endOfOtherLot(books, now, life);
  postGrant(books, { lotId, credits, reference: fee.planId, expiresAt }, now);
  return /^fee:\d+:0$/.test(fee.paymentId) ? "started" : "raise_paid";
}

function restored(
  books: MonthBooks,
  catalogue: Catalogue,
  { number, owing, paymentId }: Parameters<typeof feePaid>[2],
  now: number,
): string | null {
  const { subscription } = books;
  if (subscription === null || subscription.number !== number) return null;
  const { withheld } = subscription;
  if (withheld === null || owing > 0) return null;
  subscription.withheld = null;
  for (const missed of withheld) {
    if (missed >= subscription.paidUntil) continue;
    if (missed < subscription.period) grantLate(books, subscription, missed, catalogue, now);
    else giveCurrent(books, subscription, catalogue, now);
  }
  const isOver = subscription.period >= subscription.paidUntil;
  const told = isOver ? beginAgain(books, subscription, catalogue, now) : "restored";
  // A first payment starts the subscription; it does not restore it.
  const isFirst = paymentId !== undefined && /^fee:\d+:0$/.test(paymentId);
  return isFirst ? told.replace(/^restored(, )?/, "") || null : told;
}

/** What was charged is over: a cancelled subscription ends, any other starts again. */
function beginAgain(
  books: MonthBooks,
  subscription: MonthSubscription,
  catalogue: Catalogue,
  now: number,
): string {
  if (subscription.cancelled) {
    books.subscription = null;
    books.addOns = [];
    return "restored, ended";
  }
  const { interval } = subscription;
  chargeStretch(books, subscription, catalogue, now);
  giveCurrent(books, subscription, catalogue, now);
  return subscription.interval === interval ? "restored" : "restored, interval_changed";
}

function giveCurrent(
  books: MonthBooks,
  subscription: MonthSubscription,
  catalogue: Catalogue,
  now: number,
): void {
  grantForPeriod(books, subscription, catalogue, { at: now });
  oweForPeriod(books, subscription, catalogue, now);
}

/** A month that is over is granted like any lot in mid-month. */
function grantLate(
  books: MonthBooks,
  { number, planId }: MonthSubscription,
  period: number,
  catalogue: Catalogue,
  now: number,
): void {
  const plan = versionAt(catalogue.plans.get(planId), now);
  if (plan === null) throw new Error(`the catalogue has lost plan ${planId}`);
  const expiresAt = endOfOtherLot(books, now, plan.life);
  const lotId = `plan:${number}:${period}`;
  postGrant(books, { lotId, credits: plan.credits, reference: planId, expiresAt }, now);
}

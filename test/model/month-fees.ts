import type { Plan } from "../../shared/core/offer/catalogue.ts";
import type { MonthBooks } from "./month-books.ts";
import { type Catalogue, type MonthSubscription, versionAt } from "./month-terms.ts";

/** What a subscription is charged in money, in the currency's minor unit. */

/** Charges a month or a year from the current period on, by the planned interval. */
export function chargeStretch(
  books: MonthBooks,
  subscription: MonthSubscription,
  catalogue: Catalogue,
  at: number,
): void {
  subscription.interval = subscription.nextInterval ?? subscription.interval;
  subscription.nextInterval = null;
  subscription.paidUntil = subscription.period + periodsOf(subscription);
  subscription.paidPrice = priceNow(subscription, catalogue, at);
  const paymentId = `fee:${subscription.number}:${subscription.period}`;
  raise(books, subscription, { paymentId, amount: subscription.paidPrice }, at);
}

/** Charges for a plan that takes effect now, where it costs more than what is already charged. */
export function chargeDifference(
  books: MonthBooks,
  subscription: MonthSubscription,
  catalogue: Catalogue,
  at: number,
): void {
  const price = priceNow(subscription, catalogue, at);
  if (price <= subscription.paidPrice) return;
  let parts = 0n;
  for (let period = subscription.period; period < subscription.paidUntil; period += 1) {
    parts += price - subscription.paidPrice;
  }
  const amount =
    (parts - (parts % BigInt(periodsOf(subscription)))) / BigInt(periodsOf(subscription));
  const paymentId = `fee:${subscription.number}:${subscription.period}:${price}`;
  subscription.paidPrice = price;
  raise(books, subscription, { paymentId, amount }, at);
}

function raise(
  books: MonthBooks,
  { number, planId, currency, period, paidUntil }: MonthSubscription,
  { paymentId, amount }: { paymentId: string; amount: bigint },
  dueAt: number,
): void {
  if (amount <= 0n) return;
  const periods = paidUntil - period;
  books.fees.push({
    paymentId,
    subscription: number,
    period,
    periods,
    planId,
    amount,
    currency,
    dueAt,
  });
}

function periodsOf({ interval }: MonthSubscription): number {
  return interval === "month" ? 1 : 12;
}

/** The price of the newest version that has one in the currency; 0 without one. */
function priceNow(
  { planId, currency, interval }: MonthSubscription,
  catalogue: Catalogue,
  at: number,
): bigint {
  const priceIn = ({ prices }: Plan) => prices.find((price) => price.currency === currency);
  const versions = (catalogue.plans.get(planId) ?? []).filter(
    (version) => priceIn(version) !== undefined,
  );
  const version = versionAt(versions, at);
  const price = version === null ? undefined : priceIn(version);
  if (price === undefined) return 0n;
  return interval === "month" ? price.monthly : price.yearly;
}

import type { Plan } from "../../shared/core/offer/catalogue.ts";
import type { MonthBooks, MonthFee } from "./month-books.ts";
import { type Catalogue, type MonthSubscription, versionAt } from "./month-terms.ts";

/** What a subscription is charged in money, in the currency's minor unit. */

/** Charges a month or a year from the current period on, by the planned interval. */
export function chargeStretch(
  books: MonthBooks,
  subscription: MonthSubscription,
  catalogue: Catalogue,
  at: number,
): MonthFee | null {
  subscription.interval = subscription.nextInterval ?? subscription.interval;
  subscription.nextInterval = null;
  subscription.paidUntil = subscription.period + periodsOf(subscription);
  subscription.paidPrice = priceNow(subscription, catalogue, at);
  const paymentId = `fee:${subscription.number}:${subscription.period}`;
  const [parts, of] = partsLeft(subscription);
  const amount = (subscription.paidPrice * parts) / of;
  return raise(books, subscription, { paymentId, amount }, at);
}

/** Credits of the running period: of a first part of a month as many days' of them, rounded down. */
export function partOf(
  { period, firstPart }: Pick<MonthSubscription, "period" | "firstPart">,
  credits: bigint,
): bigint {
  if (firstPart === null || period !== 0) return credits;
  const exact = credits * BigInt(firstPart.days);
  return (exact - (exact % BigInt(firstPart.of))) / BigInt(firstPart.of);
}

/** What is left of the stretch that is paid, in days of a first part or else in months. */
function partsLeft(subscription: MonthSubscription): [parts: bigint, of: bigint] {
  const { period, paidUntil, firstPart } = subscription;
  const { days, of } = period === 0 && firstPart !== null ? firstPart : { days: 1, of: 1 };
  let parts = BigInt(days);
  for (let next = period + 1; next < paidUntil; next += 1) parts += BigInt(of);
  return [parts, BigInt(of * periodsOf(subscription))];
}

/** Charges for a plan that takes effect now, where it costs more than what is already charged. */
export function chargeDifference(
  books: MonthBooks,
  subscription: MonthSubscription,
  catalogue: Catalogue,
  at: number,
): MonthFee | null {
  const price = priceNow(subscription, catalogue, at);
  if (price <= subscription.paidPrice) return null;
  const [parts, of] = partsLeft(subscription);
  const amount = ((price - subscription.paidPrice) * parts) / of;
  const paymentId = `fee:${subscription.number}:${subscription.period}:${price}`;
  subscription.paidPrice = price;
  return raise(books, subscription, { paymentId, amount }, at);
}

function raise(
  books: MonthBooks,
  { number, planId, currency, period, paidUntil }: MonthSubscription,
  { paymentId, amount }: { paymentId: string; amount: bigint },
  dueAt: number,
): MonthFee | null {
  if (amount <= 0n) return null;
  const periods = paidUntil - period;
  const fee: MonthFee = {
    paymentId,
    subscription: number,
    period,
    periods,
    planId,
    amount,
    currency,
    dueAt,
    brings: null,
  };
  books.fees.push(fee);
  return fee;
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

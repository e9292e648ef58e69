import type { Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import { REFERENCE } from "../line/reference.ts";
import type { BillingInterval } from "../offer/billing-periods.ts";
import { type Catalogue, priceAt } from "../offer/catalogue.ts";
import type { Fee } from "./fee.ts";
import type { Subscription } from "./subscription.ts";

/** The fields of a subscription that decide what is charged. */
export type Paying = Pick<
  Subscription,
  | ("number" | "planId" | "currency" | "interval" | "nextInterval")
  | ("period" | "paidUntil" | "paidPrice" | "firstPart")
>;

/** A subscription after charging it, and the fees that fell due. */
export interface Charged<S extends Paying = Subscription> {
  readonly subscription: S;
  readonly fees: readonly Fee[];
}

const PERIODS_PAID: Readonly<Record<BillingInterval, number>> = { month: 1, year: 12 };

/**
 * Charges the current period if it is not paid for: a paid stretch begins with it, by the scheduled
 * interval, and the price at `at` falls due (the first part of a month: its share). A price of 0, or a
 * missing one, makes no fee.
 */
export function chargePeriod<S extends Paying>(
  before: S,
  catalogue: Catalogue,
  at: Instant,
): Charged<S> {
  const { planId, currency, period } = before;
  if (period < before.paidUntil) return { subscription: before, fees: [] };
  const interval = before.nextInterval ?? before.interval;
  const paidPrice = priceAt(catalogue, planId, currency, interval, at) ?? 0n;
  const paidUntil = period + PERIODS_PAID[interval];
  const subscription = { ...before, interval, nextInterval: null, paidUntil, paidPrice };
  return { subscription, fees: feesOf(subscription, shareLeft(subscription, paidPrice), at) };
}

/**
 * Raises the price of the paid stretch to that of the subscription's new plan. The difference falls due
 * for the rest of the stretch, from the current period on, rounded down. The price only rises within a
 * stretch, so going back and forth between plans costs no more than the dearest.
 */
export function raisePrice<S extends Paying>(
  onPlan: S,
  catalogue: Catalogue,
  now: Instant,
): Charged<S> {
  const { planId, currency, interval, paidPrice } = onPlan;
  const price = priceAt(catalogue, planId, currency, interval, now) ?? 0n;
  if (price <= paidPrice) return { subscription: onPlan, fees: [] };
  const amount = shareLeft(onPlan, price - paidPrice);
  const subscription = { ...onPlan, paidPrice: price };
  return { subscription, fees: feesOf(subscription, amount, now, price) };
}

/** Credits of the current period: of a first part its share, rounded down. */
export function creditsOfPeriod(
  { period, firstPart }: Pick<Paying, "period" | "firstPart">,
  credits: MicroCredits,
): MicroCredits {
  if (period > 0 || firstPart === null) return credits;
  return (credits * BigInt(firstPart.days)) / BigInt(firstPart.of);
}

/** The share of a stretch's price for what is left of it, from the current period on; rounded down. */
function shareLeft({ period, paidUntil, interval, firstPart }: Paying, price: bigint): bigint {
  const left = paidUntil - period;
  const { days, of } = period === 0 && firstPart !== null ? firstPart : { days: 1, of: 1 };
  return (price * BigInt((left - 1) * of + days)) / BigInt(PERIODS_PAID[interval] * of);
}

function feesOf(
  { number, planId, currency, period, paidUntil }: Paying,
  amount: bigint,
  dueAt: Instant,
  raisedTo?: bigint,
): readonly Fee[] {
  if (amount === 0n) return [];
  const paymentId =
    raisedTo === undefined
      ? REFERENCE.fee.write({ number, period })
      : REFERENCE.raisedFee.write({ number, period, price: raisedTo });
  const periods = paidUntil - period;
  return [{ paymentId, number, period, periods, planId, amount, currency, dueAt, brings: null }];
}

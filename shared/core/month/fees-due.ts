import type { Instant } from "../line/account.ts";
import { REFERENCE } from "../line/reference.ts";
import type { BillingInterval } from "../offer/billing-periods.ts";
import { type Catalogue, priceAt } from "../offer/catalogue.ts";
import type { Fee } from "./fee.ts";
import type { Subscription } from "./subscription.ts";

/** The fields of a subscription that decide what is charged. */
export type Paying = Pick<
  Subscription,
  | ("number" | "planId" | "currency" | "interval" | "nextInterval")
  | ("period" | "paidUntil" | "paidPrice")
>;

/** A subscription after charging it, and the fees that fell due. */
export interface Charged<S extends Paying = Subscription> {
  readonly subscription: S;
  readonly fees: readonly Fee[];
}

const PERIODS_PAID: Readonly<Record<BillingInterval, number>> = { month: 1, year: 12 };

/**
 * Charges the current period if it is not paid for: a paid stretch begins with it, by the scheduled
 * interval, and the whole price at `at` falls due. A price of 0, or a missing one, makes no fee.
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
  return { subscription, fees: feesOf(subscription, paidPrice, at) };
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
  const { planId, currency, interval, period, paidUntil, paidPrice } = onPlan;
  const price = priceAt(catalogue, planId, currency, interval, now) ?? 0n;
  if (price <= paidPrice) return { subscription: onPlan, fees: [] };
  const left = BigInt(paidUntil - period);
  const amount = ((price - paidPrice) * left) / BigInt(PERIODS_PAID[interval]);
  const subscription = { ...onPlan, paidPrice: price };
  return { subscription, fees: feesOf(subscription, amount, now, price) };
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
  return [{ paymentId, number, period, periods, planId, amount, currency, dueAt }];
}

import type { Instant } from "../line/account.ts";
import { REFERENCE } from "../line/reference.ts";
import type { BillingInterval } from "../offer/billing-periods.ts";
import { type Catalogue, priceAt } from "../offer/catalogue.ts";
import type { Fee } from "./fee.ts";
import type { Subscription } from "./subscription.ts";

/** What charging a subscription's periods goes by. */
export type Paying = Pick<
  Subscription,
  | ("number" | "planId" | "currency" | "interval" | "nextInterval")
  | ("period" | "paidUntil" | "paidPrice")
>;

/** A subscription once it is charged for its periods, and what falls due for them. */
export interface Charged<S extends Paying = Subscription> {
  readonly subscription: S;
  readonly fees: readonly Fee[];
}

/** How many periods a payment covers. */
function periodsPaid(interval: BillingInterval): number {
  return interval === "year" ? 12 : 1;
}

/**
 * Charges the current period where all that is paid has passed: a paid stretch begins with it, by the
 * interval that was planned, and its price at `at` falls due whole. A price of 0, or none at all, is no
 * fee.
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
  const paidUntil = period + periodsPaid(interval);
  const subscription = { ...before, interval, nextInterval: null, paidUntil, paidPrice };
  return { subscription, fees: feesOf(subscription, paidPrice, at) };
}

/**
 * Raises the price of the paid stretch to that of the subscription's plan, which holds from now on:
 * the difference falls due for the periods that are left of it, the current one among them, rounded
 * down. The price only rises within a stretch, so going back and forth costs nothing more; a plan
 * that is no dearer costs nothing.
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
  const amount = ((price - paidPrice) * left) / BigInt(periodsPaid(interval));
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

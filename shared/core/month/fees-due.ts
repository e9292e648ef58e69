import type { Instant } from "../line/account.ts";
import type { BillingInterval } from "../offer/billing-periods.ts";
import { type Catalogue, priceAt } from "../offer/catalogue.ts";
import type { Fee } from "./fee.ts";
import type { Subscription } from "./subscription.ts";

/** A subscription once it is charged for its periods, and what falls due for them. */
export interface Charged {
  readonly subscription: Subscription;
  readonly fees: readonly Fee[];
}

/** How many periods a payment covers. */
export function periodsPaid(interval: BillingInterval): number {
  return interval === "year" ? 12 : 1;
}

/**
 * Begins a paid stretch with the current period, by the interval that was planned: its price at `at`
 * falls due whole. A price of 0, or none at all, is no fee.
 */
export function beginStretch(before: Subscription, catalogue: Catalogue, at: Instant): Charged {
  const { planId, currency, period } = before;
  const interval = before.nextInterval ?? before.interval;
  const paidPrice = priceAt(catalogue, planId, currency, interval, at) ?? 0n;
  const paidUntil = period + periodsPaid(interval);
  const subscription = { ...before, interval, nextInterval: null, paidUntil, paidPrice };
  return { subscription, fees: feesOf(subscription, paidPrice, "", at) };
}

/**
 * Raises the price of the paid stretch to that of the subscription's plan, which holds from now on:
 * the difference falls due for the periods that are left of it, the current one among them, rounded
 * down. The price only rises within a stretch, so going back and forth costs nothing more; a plan
 * that is no dearer costs nothing.
 */
export function raisePrice(onPlan: Subscription, catalogue: Catalogue, now: Instant): Charged {
  const { planId, currency, interval, paidPrice } = onPlan;
  const price = priceAt(catalogue, planId, currency, interval, now) ?? 0n;
  if (price <= paidPrice) return { subscription: onPlan, fees: [] };
  const amount = raiseAmount(onPlan, price);
  const subscription = { ...onPlan, paidPrice: price };
  return { subscription, fees: feesOf(subscription, amount, `:${price}`, now) };
}

/** What raising the price of a paid stretch to `price` costs: nothing where that is no dearer. */
export function raiseAmount(
  paid: Pick<Subscription, "interval" | "period" | "paidUntil" | "paidPrice">,
  price: bigint,
): bigint {
  const { interval, period, paidUntil, paidPrice } = paid;
  if (price <= paidPrice) return 0n;
  return ((price - paidPrice) * BigInt(paidUntil - period)) / BigInt(periodsPaid(interval));
}

function feesOf(
  { number, planId, currency, period, paidUntil }: Subscription,
  amount: bigint,
  suffix: string,
  dueAt: Instant,
): readonly Fee[] {
  if (amount === 0n) return [];
  const paymentId = `fee:${number}:${period}${suffix}`;
  const periods = paidUntil - period;
  return [{ paymentId, number, period, periods, planId, amount, currency, dueAt }];
}

import type { BillingInterval } from "../offer/billing-periods.ts";
import { type ChangeContext, type Changed, changed } from "./subscription-change.ts";

export type IntervalChangeDecision =
  | Changed
  | { readonly kind: "no_subscription" }
  /** A fee is given up. */
  | { readonly kind: "suspended" }
  /** It is the interval already, or is planned already. */
  | { readonly kind: "no_change" };

/**
 * Plans to pay by another interval once what is paid has passed (a paid year is twelve periods); the
 * current one again takes that back. Credits come monthly either way.
 */
export function decideIntervalChange(
  interval: BillingInterval,
  context: ChangeContext,
): IntervalChangeDecision {
  const { schedule } = context.book;
  const { subscription } = schedule;
  if (subscription === null) return { kind: "no_subscription" };
  if (subscription.withheld !== null) return { kind: "suspended" };
  if (interval === (subscription.nextInterval ?? subscription.interval)) {
    return { kind: "no_change" };
  }
  const nextInterval = interval === subscription.interval ? null : interval;
  return changed(
    context,
    { kind: "interval_change_planned", detail: { interval } },
    { schedule: { ...schedule, subscription: { ...subscription, nextInterval } } },
  );
}

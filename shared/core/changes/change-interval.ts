import type { Refusal } from "../line/refusal.ts";
import type { BillingInterval } from "../offer/billing-periods.ts";
import { cannotPay, type PayingContext } from "./paying-fees.ts";
import { type Changed, changed, suspended } from "./subscription-change.ts";

/**
 * Schedules another interval for the next paid stretch (a paid year is twelve periods). Choosing the
 * current interval takes a scheduled change back. Credits come monthly either way.
 */
export function decideIntervalChange(
  interval: BillingInterval,
  context: PayingContext,
): Changed | Refusal<"no_subscription" | "subscription_suspended" | "no_change" | "no_way_to_pay"> {
  const { schedule } = context.book;
  const { subscription } = schedule;
  if (subscription === null) return { kind: "no_subscription" };
  if (subscription.withheld !== null) return suspended(subscription);
  if (interval === (subscription.nextInterval ?? subscription.interval)) {
    const planned = interval !== subscription.interval;
    return { kind: "no_change", setting: "interval", interval, planned };
  }
  const refused = cannotPay(subscription.nextPlanId ?? subscription.planId, interval, context);
  if (refused !== null) return refused;
  const nextInterval = interval === subscription.interval ? null : interval;
  return changed(
    context,
    { kind: "interval_change_planned", detail: { interval } },
    { schedule: { ...schedule, subscription: { ...subscription, nextInterval } } },
  );
}

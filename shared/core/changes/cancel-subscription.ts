import type { Refusal } from "../line/refusal.ts";
import type { Subscription } from "../month/subscription.ts";
import { ended, endOf } from "../month/turn-of-month.ts";
import { cannotPay, firstFeeOf, type PayingContext } from "./paying-fees.ts";
import { type ChangeContext, type Changed, changed } from "./subscription-change.ts";

/**
 * Cancels a subscription: it still brings credits, and ends when the paid stretch does. One that waits
 * for its first payment has brought nothing and ends immediately; the ledger abandons its fees.
 */
export function decideCancel(
  context: PayingContext,
): Changed | Refusal<"no_subscription" | "already_cancelled"> {
  const { subscription } = context.book.schedule;
  if (subscription === null) return { kind: "no_subscription" };
  if (subscription.cancelled) return { kind: "already_cancelled" };
  if (firstFeeOf(subscription, context.unpaidFees) !== null) {
    const { planId } = subscription;
    const change = { kind: "cancelled", detail: { plan: planId } } as const;
    const schedule = ended(context.book.schedule);
    return changed(context, change, { schedule, tookEffect: [endOf(subscription)] });
  }
  return withCancelled(true, subscription, context);
}

/** Takes back the cancellation of a subscription that has not ended yet. */
export function decideResume(
  context: PayingContext,
): Changed | Refusal<"no_subscription" | "not_cancelled" | "no_way_to_pay"> {
  const { subscription } = context.book.schedule;
  if (subscription === null) return { kind: "no_subscription" };
  if (!subscription.cancelled) return { kind: "not_cancelled" };
  const { planId, nextPlanId, interval, nextInterval } = subscription;
  const refused = cannotPay(nextPlanId ?? planId, nextInterval ?? interval, context);
  return refused ?? withCancelled(false, subscription, context);
}

function withCancelled(
  cancelled: boolean,
  subscription: Subscription,
  context: ChangeContext,
): Changed {
  return changed(
    context,
    { kind: cancelled ? "cancelled" : "resumed", detail: { plan: subscription.planId } },
    { schedule: { ...context.book.schedule, subscription: { ...subscription, cancelled } } },
  );
}

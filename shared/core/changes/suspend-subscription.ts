import type { FeeRef } from "../month/fee.ts";
import { type ChangeContext, type Changed, changed } from "./subscription-change.ts";

export type FeeFailedDecision =
  | Changed
  /** The fee's subscription has ended or is already suspended. */
  | { readonly kind: "no_change" };

/**
 * Suspends the subscription of a failed fee. Credits that were granted stay; further months bring
 * neither credits nor charges until its fees are paid (`decideFeePaid`).
 */
export function decideFeeFailed(fee: FeeRef, context: ChangeContext): FeeFailedDecision {
  const { schedule } = context.book;
  const { subscription } = schedule;
  if (subscription?.number !== fee.number || subscription.withheld !== null) {
    return { kind: "no_change" };
  }
  return changed(
    context,
    { kind: "suspended", detail: { plan: subscription.planId, period: `${fee.period}` } },
    { schedule: { ...schedule, subscription: { ...subscription, withheld: [] } } },
  );
}

import type { Subscription } from "../month/subscription.ts";
import { type ChangeContext, type Changed, changed } from "./subscription-change.ts";

export type CancelDecision =
  | Changed
  | { readonly kind: "no_subscription" }
  | { readonly kind: "cancelled_already" };

export type ResumeDecision =
  | Changed
  /** None runs, or it has ended: subscribe anew. */
  | { readonly kind: "no_subscription" }
  | { readonly kind: "not_cancelled" };

/** Cancels: credits go on to the end of what is paid, and there the subscription ends. */
export function decideCancel(context: ChangeContext): CancelDecision {
  const { subscription } = context.book.schedule;
  if (subscription === null) return { kind: "no_subscription" };
  if (subscription.cancelled) return { kind: "cancelled_already" };
  return withCancelled(true, subscription, context);
}

/** Takes a cancellation back while the subscription still runs: nothing is lost. */
export function decideResume(context: ChangeContext): ResumeDecision {
  const { subscription } = context.book.schedule;
  if (subscription === null) return { kind: "no_subscription" };
  if (!subscription.cancelled) return { kind: "not_cancelled" };
  return withCancelled(false, subscription, context);
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

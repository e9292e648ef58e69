import type { Refusal } from "../line/refusal.ts";
import type { Subscription } from "../month/subscription.ts";
import { type ChangeContext, type Changed, changed } from "./subscription-change.ts";

/** Cancels a subscription: it still brings credits, and ends when the paid stretch does. */
export function decideCancel(
  context: ChangeContext,
): Changed | Refusal<"no_subscription" | "already_cancelled"> {
  const { subscription } = context.book.schedule;
  if (subscription === null) return { kind: "no_subscription" };
  if (subscription.cancelled) return { kind: "already_cancelled" };
  return withCancelled(true, subscription, context);
}

/** Takes back the cancellation of a subscription that has not ended yet. */
export function decideResume(
  context: ChangeContext,
): Changed | Refusal<"no_subscription" | "not_cancelled"> {
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

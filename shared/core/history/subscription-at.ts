import type { Instant } from "../line/account.ts";
import type { AddOnUse, Subscription, SubscriptionChange } from "../month/subscription.ts";
import type { BillingInterval } from "../offer/billing-periods.ts";

/** A subscription, as far as the history records it. */
type PlanPlace = Pick<
  Subscription,
  "planId" | "interval" | "nextPlanId" | "nextInterval" | "cancelled"
> & { readonly suspended: boolean };

/** A subscription and its add-ons at an instant. */
export interface SubscriptionThen {
  /** Null: none. */
  readonly place: PlanPlace | null;
  /** By id. */
  readonly addOns: readonly AddOnUse[];
}

const NONE: SubscriptionThen = { place: null, addOns: [] };

/**
 * Rebuilds a subscription at an instant from the account's changes, which are oldest first. Changes
 * made by a turn count from its instant, even if it was posted later.
 */
export function subscriptionAt(
  changes: readonly SubscriptionChange[],
  at: Instant,
): SubscriptionThen {
  return changes.filter((change) => change.at <= at).reduce(afterChange, NONE);
}

function afterChange(then: SubscriptionThen, change: SubscriptionChange): SubscriptionThen {
  const { kind, detail } = change;
  switch (kind) {
    case "subscribed":
      return { place: placeOf(detail), addOns: [] };
    case "ended":
      return NONE;
    case "add_on_changed":
    case "add_on_change_planned":
      return { ...then, addOns: usesAfter(then.addOns, change) };
    case "time_zone_changed":
    case "threshold_changed":
    case "overdraft_changed":
      return then;
    default:
      return { ...then, place: then.place && { ...then.place, ...inPlace(then.place, change) } };
  }
}

function placeOf(detail: SubscriptionChange["detail"]): PlanPlace {
  const { plan = "", interval } = detail;
  return {
    planId: plan,
    interval: intervalOf(interval),
    nextPlanId: null,
    nextInterval: null,
    cancelled: false,
    suspended: detail["waits"] !== undefined,
  };
}

/** What a change of a running subscription alters. */
function inPlace(place: PlanPlace, { kind, detail }: SubscriptionChange): Partial<PlanPlace> {
  const { plan = "" } = detail;
  const interval = intervalOf(detail["interval"]);
  switch (kind) {
    case "plan_changed":
      return { planId: plan, nextPlanId: null };
    case "plan_change_planned":
      return { nextPlanId: plan === place.planId ? null : plan };
    case "interval_changed":
      return { interval, nextInterval: null };
    case "interval_change_planned":
      return { nextInterval: interval === place.interval ? null : interval };
    case "cancelled":
      return { cancelled: true };
    case "resumed":
      return { cancelled: false };
    case "suspended":
      return { suspended: true };
    case "started":
    case "restored":
      return { suspended: false };
    default:
      return {};
  }
}

function intervalOf(text: string | undefined): BillingInterval {
  return text === "year" ? "year" : "month";
}

function usesAfter(
  addOns: readonly AddOnUse[],
  { kind, detail }: SubscriptionChange,
): readonly AddOnUse[] {
  const { add_on: addOnId = "" } = detail;
  const nextQuantity = Number(detail["units"]);
  const before = addOns.find((use) => use.addOnId === addOnId)?.quantity ?? 0;
  const quantity = kind === "add_on_changed" ? nextQuantity : before;
  const others = addOns.filter((use) => use.addOnId !== addOnId);
  if (quantity === 0 && nextQuantity === 0) return others;
  return [...others, { addOnId, quantity, nextQuantity }].sort((a, b) =>
    a.addOnId < b.addOnId ? -1 : 1,
  );
}

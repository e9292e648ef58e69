import { REFERENCE } from "../line/reference.ts";
import type { SubscriptionChange } from "../month/subscription.ts";
import { type AutoTopUp, amountsOf, type TopUpNotice } from "./auto-top-up.ts";
import type { ChargeCurrency } from "./charge-limits.ts";

/** Shown until the customer switches auto top-up on again. */
export const ENDED_WITH_SUBSCRIPTION =
  "Auto top-up ended with the subscription. Switch it on to buy credits without one.";

/**
 * Ends auto top-up with the subscription whose end `change` records; null: it is off already, or the
 * customer keeps it. Only the customer can switch it on again.
 */
export function endAutoTopUp(
  auto: AutoTopUp,
  { sequence }: Pick<SubscriptionChange, "sequence">,
  charged: ChargeCurrency,
): { readonly auto: AutoTopUp; readonly notices: readonly TopUpNotice[] } | null {
  if (!auto.enabled || auto.keepAfterSubscription) return null;
  const reason = ENDED_WITH_SUBSCRIPTION;
  const off = { enabled: false, pausedUntil: null, stopped: reason, lookAt: null };
  const notice: TopUpNotice = {
    topUpId: REFERENCE.subscriptionEnd.write({ sequence }),
    status: "stopped",
    ...{ amount: amountsOf(auto, charged).amount, currency: charged.currency, credits: 0n },
    reason,
  };
  return { auto: { ...auto, ...off }, notices: [notice] };
}

import { REFERENCE } from "../line/reference.ts";
import type { SubscriptionChange } from "../month/subscription.ts";
import { toSentence } from "../text/text.ts";
import { type AutoTopUp, amountsOf, type TopUpNotice } from "./auto-top-up.ts";
import type { ChargeCurrency } from "./charge-limits.ts";
import { NO_PAYMENT_METHOD } from "./decline.ts";

/** Shown until the customer switches auto top-up on again. */
export const ENDED_WITH_SUBSCRIPTION =
  "Auto top-up ended with the subscription. Switch it on to buy credits without one.";

/** Auto top-up that charges nothing more, and the notice of it. */
interface Ended {
  readonly auto: AutoTopUp;
  readonly notices: readonly TopUpNotice[];
}

/**
 * Ends auto top-up with the subscription whose end `change` records; null: it is off already, or the
 * customer keeps it. Only the customer can switch it on again.
 */
export function endAutoTopUp(
  auto: AutoTopUp,
  { sequence }: Pick<SubscriptionChange, "sequence">,
  charged: ChargeCurrency,
): Ended | null {
  if (!auto.enabled || auto.keepAfterSubscription) return null;
  const topUpId = REFERENCE.subscriptionEnd.write({ sequence });
  return stopped({ ...auto, enabled: false }, ENDED_WITH_SUBSCRIPTION, topUpId, charged);
}

/**
 * Stops auto top-up as the account's payment method is removed, in the change of that number; null: it is
 * off or stopped already. Another payment method starts it again.
 */
export function stopWithoutMethod(
  auto: AutoTopUp,
  { sequence }: { readonly sequence: number },
  charged: ChargeCurrency,
): Ended | null {
  if (!auto.enabled || auto.stopped !== null) return null;
  const topUpId = REFERENCE.methodRemoval.write({ sequence });
  return stopped(auto, toSentence(NO_PAYMENT_METHOD), topUpId, charged);
}

function stopped(auto: AutoTopUp, reason: string, topUpId: string, charged: ChargeCurrency): Ended {
  const notice: TopUpNotice = {
    ...{ topUpId, status: "stopped", reason },
    ...{ amount: amountsOf(auto, charged).amount, currency: charged.currency, credits: 0n },
  };
  return {
    auto: { ...auto, pausedUntil: null, stopped: reason, lookAt: null },
    notices: [notice],
  };
}

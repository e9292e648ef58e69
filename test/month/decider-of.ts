import { decideCancel, decideResume } from "../../shared/core/changes/cancel-subscription.ts";
import { decideIntervalChange } from "../../shared/core/changes/change-interval.ts";
import { decidePlanChange } from "../../shared/core/changes/change-plan.ts";
import { decideTimeZoneChange } from "../../shared/core/changes/change-time-zone.ts";
import type { PayingContext } from "../../shared/core/changes/paying-fees.ts";
import { decideFeePaid } from "../../shared/core/changes/restore-subscription.ts";
import { decideAddOn } from "../../shared/core/changes/set-add-on.ts";
import { decideSubscribe } from "../../shared/core/changes/subscribe.ts";
import type { Changed } from "../../shared/core/changes/subscription-change.ts";
import { decideFeeFailed } from "../../shared/core/changes/suspend-subscription.ts";
import type { AccountStep } from "../model/month-history.ts";

export type CommandStep = Exclude<AccountStep, { kind: "use" }>;
export type ChangeStep = Exclude<CommandStep, { kind: "grant" | "withdraw" }>;

/** The function of shared/core that decides a change of a subscription or a setting. */
export function deciderOf(
  step: ChangeStep,
): (context: PayingContext) => { readonly kind: string } | Changed {
  switch (step.kind) {
    case "subscribe": {
      const { plan: planId, interval, renewal } = step;
      return (context) => decideSubscribe({ planId, interval, renewal }, context);
    }
    case "change plan":
      return (context) => decidePlanChange(step.plan, context);
    case "change interval":
      return (context) => decideIntervalChange(step.interval, context);
    case "fee given up":
      return (context) => decideFeeFailed(step, context);
    case "fee paid":
      return (context) =>
        decideFeePaid({ ...step, planId: "", brings: null }, { ...context, owing: step.owing });
    case "cancel":
      return decideCancel;
    case "resume":
      return decideResume;
    case "set add-on": {
      const { addOn: addOnId, quantity: units } = step;
      return (context) => decideAddOn({ addOnId, units }, context);
    }
    case "change zone":
      return (context) => decideTimeZoneChange(step.timeZone, context);
  }
}

import { endOfPaid, type Subscription } from "../../../shared/core/month/subscription.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { printable } from "../shell/print.ts";
import { oftenText } from "./change-text.ts";

/** What happens next to a subscription unless it is changed, a phrase each. */
export function plannedText(subscription: Subscription, timeZone: string): string[] {
  const { nextPlanId, cancelled, withheld } = subscription;
  const next = formatInstant(subscription.nextPeriodAt);
  const phrases = withheld === null ? [] : ["It is suspended until its fee is paid"];
  if (cancelled && isUnpaidNext(subscription)) return [...phrases, `It ends ${next}`];
  phrases.push(`The next period begins ${next}`);
  if (nextPlanId !== null) phrases.push(`Plan ${printable(nextPlanId)} applies from ${next} on`);
  return [...phrases, ...nextPaymentText(subscription, timeZone)];
}

function nextPaymentText(subscription: Subscription, timeZone: string): string[] {
  const { nextInterval, cancelled } = subscription;
  const unpaid = formatInstant(endOfPaid(subscription, timeZone));
  if (cancelled) return [`It ends ${unpaid}`];
  return nextInterval === null ? [] : [`It is paid ${oftenText(nextInterval)} from ${unpaid} on`];
}

/** Of a suspended subscription, the paid stretch may be over already. */
function isUnpaidNext({ period, paidUntil: unpaid }: Subscription): boolean {
  return unpaid <= period + 1;
}

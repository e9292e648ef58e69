import type { Instant } from "../line/account.ts";
import type { Refusal } from "../line/refusal.ts";
import type { Subscription } from "../month/subscription.ts";
import { periodStart } from "../offer/billing-periods.ts";
import { isTimeZone } from "../offer/months.ts";
import { type ChangeContext, type Changed, changed } from "./subscription-change.ts";

/**
 * Moves an account to another time zone (an IANA name). Periods that have begun and the ends of lots
 * stay. The next period begins by the new zone's clock, but not before now, so each month comes exactly
 * once. If it has already begun there, its turn is due immediately: settle again.
 */
export function decideTimeZoneChange(
  timeZone: string,
  context: ChangeContext,
): Changed | Refusal<"unknown_time_zone" | "no_change"> {
  const { account, schedule } = context.book;
  if (!isTimeZone(timeZone)) return { kind: "unknown_time_zone", timeZone };
  if (timeZone === account.timeZone) {
    return { kind: "no_change", setting: "time_zone", timeZone };
  }
  const { subscription } = schedule;
  return changed(
    context,
    { kind: "time_zone_changed", detail: { time_zone: timeZone, before: account.timeZone } },
    {
      account: { ...account, timeZone },
      schedule: {
        ...schedule,
        subscription: subscription && inZone(subscription, timeZone, context.now),
      },
    },
  );
}

function inZone(subscription: Subscription, timeZone: string, now: Instant): Subscription {
  const start = periodStart(subscription.anchor, subscription.period + 1, timeZone);
  return { ...subscription, nextPeriodAt: Math.max(start, now) };
}

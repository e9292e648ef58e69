import type { SubscriptionChange } from "../../../shared/core/month/subscription.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { countOf } from "../../../shared/core/text/text.ts";

/** A change as a phrase: "plan growth instead of starter". */
export function changeText({ kind, detail }: SubscriptionChange): string {
  const { plan = "?", before = "?", interval = "?", renewal = "?", units = "?" } = detail;
  const { period = "?", add_on: addOn = "?", time_zone: timeZone = "?" } = detail;
  const { threshold = "?", overdraft = "?" } = detail;
  switch (kind) {
    case "subscribed":
      return `subscribed to ${plan}, paid ${oftenText(interval)}, renews ${renewalText(renewal)}`;
    case "plan_changed":
      return `plan ${plan} instead of ${before}`;
    case "plan_change_planned":
      return `plan ${plan} from the next period on`;
    case "interval_changed":
      return `paid ${oftenText(interval)} instead of ${oftenText(before)}`;
    case "interval_change_planned":
      return `paid ${oftenText(interval)} from the end of what is paid on`;
    case "cancelled":
      return `plan ${plan} cancelled, to the end of what is paid`;
    case "resumed":
      return `plan ${plan} resumed`;
    case "suspended":
      return `plan ${plan} suspended: its fee of period ${period} is abandoned`;
    case "restored":
      return `plan ${plan} restored: its fee of period ${period} is paid`;
    case "started":
      return `plan ${plan} paid: its credits came`;
    case "raise_paid":
      return `plan ${plan} paid: the difference in credits came`;
    case "ended":
      return `plan ${plan} ended, as it was cancelled`;
    case "add_on_changed":
      return `add-on ${addOn}: ${unitsText(units)} instead of ${before}`;
    case "add_on_change_planned":
      return `add-on ${addOn}: ${unitsText(units)} from the next period on`;
    case "time_zone_changed":
      return `time zone ${timeZone} instead of ${before}`;
    case "threshold_changed":
      return `threshold ${creditsOf(threshold)} credits instead of ${creditsOf(before)}`;
    case "overdraft_changed":
      return `overdraft ${creditsOf(overdraft)} instead of ${creditsOf(before)}`;
  }
}

export function renewalText(renewal: string): string {
  return renewal === "day_of_month"
    ? "on the day of the month it began"
    : "on the first of the month";
}

/** The history stores micro-credits. */
function creditsOf(micro: string): string {
  return /^-?\d+$/.test(micro) ? formatCredits(BigInt(micro)) : micro;
}

function unitsText(units: string): string {
  return countOf(Number(units), "unit");
}

export function oftenText(interval: string): string {
  return interval === "year" ? "yearly" : "monthly";
}

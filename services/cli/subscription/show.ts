import { z } from "zod";
import { noun } from "../../../shared/contract/noun.ts";
import { scheduleFields, toSchedule } from "../../../shared/contract/subscription.ts";
import { accountId, instant } from "../../../shared/contract/wire.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { endOfPaid, type Subscription } from "../../../shared/core/month/subscription.ts";
import { planAt, priceAt } from "../../../shared/core/offer/catalogue.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { moneyText } from "../../../shared/core/text/money.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { fields, printable, table } from "../shell/print.ts";
import { noAccount, type Result, shown } from "../shell/result.ts";
import { addOnsText } from "./add-on-text.ts";
import { oftenText, renewalText } from "./change-text.ts";
import { readSubscription, type SubscriptionDetails } from "./read-subscription.ts";
import { plannedText } from "./show-text.ts";

const shownSubscription = noun({
  account_id: accountId,
  time_zone: z.string(),
  ...scheduleFields,
  next_due_at: instant.nullable(),
});

/** Shows a subscription as the books have it: a turn that is due shows once it is posted. */
export async function showSubscription(settings: Settings, id: AccountId): Promise<Result> {
  const read = await readSubscription(settings, id);
  if (read === null) return noAccount(id);
  const subscription = { ...toSchedule(read, read.now), ...read.account };
  return shown(shownSubscription, subscription, shownText(read));
}

function shownText(read: SubscriptionDetails): string {
  const { account, schedule, openFees } = read;
  const { subscription } = schedule;
  const id = printable(account.accountId);
  const due = formatInstant(account.nextDueAt, "nothing");
  const head =
    subscription === null
      ? `Account ${id} has no subscription; next due: ${due}.`
      : runningText(read, subscription);
  const fees = openFees.length === 0 ? "" : `Unpaid fees:\n${feeTable(openFees)}`;
  return [head, addOnsText(read), fees].filter((part) => part !== "").join("\n\n");
}

function feeTable(fees: SubscriptionDetails["openFees"]): string {
  return table(fees, [
    ["FEE", ({ paymentId }) => paymentId],
    ["PLAN", ({ planId }) => planId],
    ["STATUS", ({ status }) => status],
    ["AMOUNT", ({ amount, currency }) => moneyText(amount, currency), "right"],
    ["DUE", ({ dueAt }) => formatInstant(dueAt)],
    ["ATTEMPT", ({ attempt }) => attempt, "right"],
    ["NEXT TRY", ({ nextTryAt }) => formatInstant(nextTryAt, "with another payment method")],
    ["REASON", ({ reason }) => reason],
  ]);
}

function runningText(read: SubscriptionDetails, subscription: Subscription): string {
  const { account, periodBeganAt, now } = read;
  const { timeZone } = account;
  const { period, nextPeriodAt, anchor } = subscription;
  const isTurnDue = nextPeriodAt <= now;
  return fields([
    ["account", account.accountId],
    ["plan", planText(read, subscription)],
    ...suspendedRow(subscription),
    ["paid", `${oftenText(subscription.interval)}${priceText(read, subscription)}`],
    ["paid until", formatInstant(endOfPaid(subscription, timeZone))],
    ["renews", `${renewalText(anchor.renewal)}, ${timeZone}`],
    ["subscribed", formatInstant(subscription.subscribedAt)],
    ["period", `${period}, since ${formatInstant(periodBeganAt)}`],
    ["next turn", `${formatInstant(nextPeriodAt)}${isTurnDue ? ", due but not posted yet" : ""}`],
    ["coming up", plannedText(subscription, timeZone).join("; ")],
    ["next due", formatInstant(account.nextDueAt, "nothing")],
  ]);
}

function suspendedRow({ withheld }: Subscription) {
  if (withheld === null) return [];
  const since = withheld.length === 0 ? "" : `; ${countOf(withheld.length, "month")} so far`;
  const what = `its months bring no credits and no charges until its fees are paid${since}`;
  return [["suspended", what] as const];
}

function planText(
  { catalogue, now }: SubscriptionDetails,
  { planId, periodCredits }: Subscription,
) {
  const plan = planAt(catalogue, planId, now);
  const monthly = plan === null ? "" : `: ${formatCredits(plan.credits)} credits a month`;
  return `${planId}${monthly}; received this period: ${formatCredits(periodCredits)}`;
}

function priceText(read: SubscriptionDetails, { planId, interval }: Subscription): string {
  const { catalogue, currency, now } = read;
  const price = priceAt(catalogue, planId, currency, interval, now);
  return price === null ? "" : `, ${moneyText(price, currency)}`;
}

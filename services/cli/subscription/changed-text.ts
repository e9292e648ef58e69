import { z } from "zod";
import { movedFields, toMoved } from "../../../shared/contract/account.ts";
import { newEntry, toEntry } from "../../../shared/contract/entry.ts";
import { fee, toFee } from "../../../shared/contract/fee.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { scheduleFields, toSchedule } from "../../../shared/contract/subscription.ts";
import { subscriptionChange } from "../../../shared/contract/subscription-change.ts";
import type { Changed } from "../../../shared/core/changes/subscription-change.ts";
import type { Entry, Instant } from "../../../shared/core/line/account.ts";
import type { Fee } from "../../../shared/core/month/fee.ts";
import type { GrantedLot } from "../../../shared/core/month/grant-credits.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { moneyText } from "../../../shared/core/text/money.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import { balanceText, LOW_BALANCE } from "../credits/lot-text.ts";
import { printable } from "../shell/print.ts";
import { changeText } from "./change-text.ts";
import type { SubscriptionDetails } from "./read-subscription.ts";
import { plannedText } from "./show-text.ts";

export const madeChange = noun({
  outcome: z.literal("changed"),
  ...movedFields,
  time_zone: z.string(),
  changes: z.array(subscriptionChange),
  entries: z.array(newEntry),
  fees: z.array(fee),
  ...scheduleFields,
});

/** `subscription` is read after the change. */
export function toMadeChange(changed: Changed, subscription: SubscriptionDetails) {
  return {
    ...toMoved(changed, changed.lowBalance, subscription.now),
    ...toSchedule(subscription, subscription.now),
    outcome: changed.kind,
    changes: changed.changes,
    entries: changed.entries.map(toEntry),
    fees: changed.fees.map(toFee),
  };
}

export function changedText(changed: Changed, now: Instant): string {
  const { account, lots, schedule, entries, granted, changes, lowBalance } = changed;
  const id = printable(account.accountId);
  const lines = changes.map((change) => `${id}: ${printable(changeText(change))}.`);
  for (const entry of entries) lines.push(entryText(entry, granted));
  if (entries.length > 0 || lowBalance !== null) {
    lines.push(`The balance is now ${balanceText(account, lots, now)}.`);
  }
  if (lowBalance !== null) lines.push(LOW_BALANCE);
  lines.push(...changed.fees.map(feeText));
  const { subscription } = schedule;
  if (subscription !== null) {
    lines.push(...plannedText(subscription, account.timeZone).map((what) => `${what}.`));
  }
  return lines.join("\n");
}

function entryText({ credits, lotId, reference }: Entry, granted: readonly GrantedLot[]): string {
  if (credits < 0n) return `Charged ${formatCredits(-credits)} credits: ${printable(reference)}.`;
  const lot = granted.find((candidate) => candidate.lotId === lotId);
  const ends = lot === undefined ? "" : `, ends ${formatInstant(lot.expiresAt)}`;
  return `Granted ${formatCredits(credits)} credits: lot ${lotId}${ends}.`;
}

function feeText({ amount, currency, periods }: Fee): string {
  return `${moneyText(amount, currency)} falls due for ${countOf(periods, "period")}.`;
}

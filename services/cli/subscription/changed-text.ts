import type { Changed } from "../../../shared/core/changes/subscription-change.ts";
import type { Entry } from "../../../shared/core/line/account.ts";
import { balanceOf } from "../../../shared/core/line/credit-line.ts";
import type { Fee } from "../../../shared/core/month/fee.ts";
import type { GrantedLot } from "../../../shared/core/month/grant-credits.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { moneyText } from "../../../shared/core/text/money.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import { entryJson } from "../credits/entry-text.ts";
import { instantJson, printable } from "../shell/print.ts";
import { changeJson, changeText } from "./change-text.ts";
import { plannedText, subscriptionJson, usesJson } from "./show-text.ts";

/** What a change did, for `--json`. */
export function changedJson({ account, schedule, entries, changes, fees, lowBalance }: Changed) {
  const { subscription, addOns } = schedule;
  return {
    outcome: "changed",
    account_id: account.accountId,
    changes: changes.map(changeJson),
    entries: entries.map(entryJson),
    fees: fees.map(feeJson),
    time_zone: account.timeZone,
    threshold: account.threshold,
    subscription: subscription && subscriptionJson(subscription, account.timeZone),
    add_ons: usesJson(addOns),
    balance: balanceOf(account),
    low_balance: account.lowBalance,
    crossing: lowBalance?.crossing ?? null,
  };
}

/** What a change did, in words. */
export function changedText(changed: Changed): string {
  const { account, schedule, entries, granted, changes, lowBalance } = changed;
  const id = printable(account.accountId);
  const lines = changes.map((change) => `${id}: ${printable(changeText(change))}.`);
  for (const entry of entries) lines.push(entryText(entry, granted));
  if (entries.length > 0 || lowBalance !== null) {
    lines.push(`The balance is now ${formatCredits(balanceOf(account))} credits.`);
  }
  if (lowBalance !== null) lines.push("It is at or below the threshold, which was said.");
  lines.push(...changed.fees.map(feeText));
  const { subscription } = schedule;
  if (subscription !== null) {
    lines.push(...plannedText(subscription, account.timeZone).map((what) => `${what}.`));
  }
  return lines.join("\n");
}

function entryText({ credits, lotId, reference }: Entry, granted: readonly GrantedLot[]): string {
  if (credits < 0n) return `Charged ${formatCredits(-credits)} credits: ${printable(reference)}.`;
  const lot = granted.find((one) => one.lotId === lotId);
  const ends = lot === undefined ? "" : `, ends ${formatInstant(lot.expiresAt)}`;
  return `Granted ${formatCredits(credits)} credits: lot ${lotId}${ends}.`;
}

function feeJson({ paymentId, planId, period, periods, amount, currency, dueAt }: Fee) {
  const due_at = instantJson(dueAt);
  return { payment_id: paymentId, plan: planId, period, periods, amount, currency, due_at };
}

function feeText({ amount, currency, periods }: Fee): string {
  return `${moneyText(amount, currency)} falls due for ${countOf(periods, "period")}.`;
}

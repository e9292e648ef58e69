import { autoTopUp, toAutoTopUp } from "../../../shared/contract/auto-top-up.ts";
import type { Account, AccountId } from "../../../shared/core/line/account.ts";
import { waitsForNeed } from "../../../shared/core/line/low-balance.ts";
import { type AutoTopUp, amountsOf } from "../../../shared/core/payments/auto-top-up.ts";
import { ceilingsOf } from "../../../shared/core/payments/ceilings.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { moneyText } from "../../../shared/core/text/money.ts";
import type { AccountDetails } from "../../../shared/ledger/books/account-details.ts";
import {
  type AutoTopUpState,
  readAutoTopUpState,
} from "../../../shared/ledger/payments/auto-top-up-state.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { fields } from "../shell/print.ts";
import { readAccountBooks } from "../shell/read-books.ts";
import { type Result, shown } from "../shell/result.ts";

/** Shows the settings and the state of an account's auto top-up. */
export function showTopUpSettings(settings: Settings, accountId: AccountId): Promise<Result> {
  return readAccountBooks(settings, accountId, async (transaction, details) => {
    const state = await readAutoTopUpState(transaction, details.account, Date.now());
    const text = topUpSettingsText(state, details);
    return shown(autoTopUp, toAutoTopUp(state, details), text);
  });
}

export function topUpSettingsText(state: AutoTopUpState, details: AccountDetails): string {
  const { auto, charged } = state;
  const { currency, account } = details;
  const { amount, perDay, perMonth } = amountsOf(auto, details);
  const most = ceilingsOf(auto.ceilings, details);
  const money = (minor: bigint, set: bigint | null) =>
    `${moneyText(minor, currency)}${set === null ? " (default)" : ""}`;
  const within = (minor: bigint, set: bigint | null, ceiling: bigint) =>
    money(minor, set) + (set !== null && set > ceiling ? " (the ceiling)" : "");
  return fields([
    ["account", account.accountId],
    ["auto top-up", auto.enabled ? "on" : "off"],
    ["agreed", consentText(state)],
    ["amount", within(amount, auto.amount, most.amount)],
    ["limit a day", within(perDay, auto.limitPerDay, most.perDay)],
    ["limit a month", within(perMonth, auto.limitPerMonth, most.perMonth)],
    ["ceiling each", money(most.amount, auto.ceilings.amount)],
    ["ceiling a day", money(most.perDay, auto.ceilings.perDay)],
    ["ceiling a month", money(most.perMonth, auto.ceilings.perMonth)],
    ["charged today", moneyText(charged.today, currency)],
    ["charged this month", moneyText(charged.thisMonth, currency)],
    ["without a subscription", auto.keepAfterSubscription ? "goes on" : "ends with it"],
    ["paused until", formatInstant(auto.pausedUntil, "not paused")],
    ["stopped", auto.stopped ?? "no"],
    ["declines", `${auto.declines} in a row`],
    ["next check", formatInstant(auto.lookAt, nextCheck(auto, account))],
  ]);
}

function consentText({ consent }: AutoTopUpState): string {
  if (consent === null) return "no";
  const { by, at, byDefault } = consent;
  return `${formatInstant(at)} by ${by}${byDefault ? ", as the account was created" : ""}`;
}

function nextCheck({ enabled, stopped }: AutoTopUp, account: Account): string {
  if (!enabled) return "never, while it is off";
  if (stopped !== null) return "never, until you set it or the payment method again";
  return waitsForNeed(account)
    ? "when usage or an add-on needs credits"
    : "when the balance is low";
}

import { autoTopUp, toAutoTopUp } from "../../../shared/contract/auto-top-up.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { type AutoTopUp, amountsOf } from "../../../shared/core/payments/auto-top-up.ts";
import type { ChargeCurrency } from "../../../shared/core/payments/charge-limits.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { moneyText } from "../../../shared/core/text/money.ts";
import { readAutoTopUp } from "../../../shared/ledger/books/auto-top-ups.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { fields } from "../shell/print.ts";
import { readAccountBooks } from "../shell/read-books.ts";
import { type Result, shown } from "../shell/result.ts";

/** An account's auto top-up, in the currency that it pays in. */
interface AccountTopUp extends ChargeCurrency {
  readonly accountId: AccountId;
  readonly auto: AutoTopUp;
}

/** Shows the settings and the state of an account's auto top-up. */
export function showTopUpSettings(settings: Settings, accountId: AccountId): Promise<Result> {
  return readAccountBooks(settings, accountId, async (transaction, details) => {
    const auto = await readAutoTopUp(transaction, accountId);
    const text = topUpSettingsText({ ...details, accountId, auto });
    return shown(autoTopUp, toAutoTopUp(auto, details), text);
  });
}

export function topUpSettingsText(of: AccountTopUp): string {
  const { accountId, currency, auto } = of;
  const { amount, perDay, perMonth } = amountsOf(auto, of);
  const money = (minor: bigint, set: bigint | null) =>
    `${moneyText(minor, currency)}${set === null ? " (default)" : ""}`;
  return fields([
    ["account", accountId],
    ["auto top-up", auto.enabled ? "on" : "off"],
    ["amount", money(amount, auto.amount)],
    ["limit a day", money(perDay, auto.limitPerDay)],
    ["limit a month", money(perMonth, auto.limitPerMonth)],
    ["paused until", formatInstant(auto.pausedUntil, "not paused")],
    ["stopped", auto.stopped ?? "no"],
    ["declines", `${auto.declines} in a row`],
    ["next check", formatInstant(auto.lookAt, nextCheck(auto))],
  ]);
}

function nextCheck({ enabled, stopped }: AutoTopUp): string {
  if (!enabled) return "never, while it is off";
  return stopped === null
    ? "when the balance is low"
    : "never, until you set it or the payment method again";
}

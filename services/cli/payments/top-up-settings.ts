import { autoTopUp, toAutoTopUp } from "../../../shared/contract/auto-top-up.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { type AutoTopUp, amountsOf } from "../../../shared/core/payments/auto-top-up.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { moneyText } from "../../../shared/core/text/money.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import { readAutoTopUp } from "../../../shared/ledger/books/auto-top-ups.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { fields } from "../shell/print.ts";
import { noAccount, type Result, shown } from "../shell/result.ts";
import { withDatabase } from "../shell/with-database.ts";

/** An account's auto top-up, in the currency that it pays in. */
interface AccountTopUp {
  readonly accountId: AccountId;
  readonly currency: string;
  readonly auto: AutoTopUp;
}

/** What is set of an account's auto top-up, and where it stands. */
export async function showTopUpSettings(settings: Settings, accountId: AccountId): Promise<Result> {
  const read = await withDatabase(settings, (database) =>
    readSnapshot(database, async (transaction): Promise<AccountTopUp | null> => {
      const details = await readAccountDetails(transaction, accountId);
      if (details === null) return null;
      const auto = await readAutoTopUp(transaction, accountId);
      return { accountId, currency: details.currency, auto };
    }),
  );
  if (read === null) return noAccount(accountId);
  return shown(autoTopUp, toAutoTopUp(read.auto, read.currency), topUpSettingsText(read));
}

export function topUpSettingsText({ accountId, currency, auto }: AccountTopUp): string {
  const { amount, perDay, perMonth } = amountsOf(auto, currency);
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
    ["next look", formatInstant(auto.lookAt, nextLook(auto))],
  ]);
}

function nextLook({ enabled, stopped }: AutoTopUp): string {
  if (!enabled) return "never, while it is off";
  return stopped === null ? "when the balance is low" : "never, until you act";
}

import type { Command } from "commander";
import { listOf } from "../../../shared/contract/page.ts";
import { settingChange, settingChangePage } from "../../../shared/contract/setting-change.ts";
import { formatCredits, overdraftText } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { moneyText } from "../../../shared/core/text/money.ts";
import { listSettingChanges } from "../../../shared/ledger/books/setting-changes.ts";
import { accountIdArgument } from "../shell/arguments.ts";
import { addPageOptions, moreLines, type PageOptions, pageArgument } from "../shell/paging.ts";
import { type Column, table } from "../shell/print.ts";
import { readAccountBooks } from "../shell/read-books.ts";
import { shown } from "../shell/result.ts";
import { addCommand, run } from "../shell/run-command.ts";

export function addAccountChangesCommand(account: Command): void {
  const command = addCommand(account, "changes <account>", {
    does: "list who changed an account's settings and when, newest first, each with all settings from then on",
    examples: ["account changes acme --limit 100"],
  });
  addPageOptions(command).action((id: string, options: PageOptions) =>
    run(options, (settings) => {
      const accountId = accountIdArgument(id);
      const range = pageArgument(options);
      return readAccountBooks(settings, accountId, async (transaction, { currency }) => {
        const page = await settingChangePage(range, (of) =>
          listSettingChanges(transaction, accountId, of),
        );
        const text = [changesTable(page.items, currency), ...moreLines(page.nextCursor)];
        return shown(listOf(settingChange), page, text.join("\n"));
      });
    }),
  );
}

type Change = Awaited<ReturnType<typeof settingChangePage>>["items"][number];
type Amounts = Pick<Change["autoTopUp"], "amount" | "limitPerDay" | "limitPerMonth">;

const OVERDRAFT: Column<Change> = ["OVERDRAFT", ({ overdraft }) => overdraftText(overdraft)];

function changesTable(changes: readonly Change[], currency: string): string {
  const amounts = ({ amount, limitPerDay, limitPerMonth }: Amounts) =>
    [amount, limitPerDay, limitPerMonth]
      .map((minor) => (minor === null ? "default" : moneyText(minor, currency)))
      .join(" / ");
  return table(changes, [
    ["WHEN", ({ at }) => formatInstant(at)],
    ["WHO", ({ by }) => by],
    ["TIME ZONE", ({ timeZone }) => timeZone],
    ["THRESHOLD", ({ threshold }) => formatCredits(threshold), "right"],
    ...(changes.some(({ overdraft }) => overdraft !== null) ? [OVERDRAFT] : []),
    ["AUTO TOP-UP", ({ autoTopUp }) => autoText(autoTopUp)],
    ["EACH / DAY / MONTH", ({ autoTopUp }) => amounts(autoTopUp)],
    ["CEILINGS", ({ autoTopUp }) => amounts(autoTopUp.ceilings)],
  ]);
}

function autoText({ enabled, keepAfterSubscription }: Change["autoTopUp"]): string {
  if (!enabled) return "off";
  return keepAfterSubscription ? "on, also without a subscription" : "on";
}

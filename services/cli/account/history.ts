import type { Command } from "commander";
import { lineAt } from "../../../shared/core/history/line-at.ts";
import type { AccountId, Instant } from "../../../shared/core/line/account.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { readAccountHistory } from "../../../shared/ledger/proof/account-history.ts";
import { usagePastUntil } from "../../../shared/ledger/usage/past-usage.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument, instantArgument } from "../shell/arguments.ts";
import { readBooks } from "../shell/read-books.ts";
import { noAccount, type Result, refused, shown, WrongUsage } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { accountHistory, toAccountHistory } from "./history-shape.ts";
import { historyText } from "./history-text.ts";

interface HistoryOptions extends JsonOption {
  readonly at: string;
}

export function addAccountHistoryCommand(account: Command): void {
  addCommand(account, "history <account>", {
    does: "show an account at a past instant: its balance, lots and settings as the books had them then, and as they are known now",
    examples: ["account history acme --at 2026-11-01T00:00:00Z"],
  })
    .requiredOption("--at <instant>", "the instant, in ISO 8601 with an offset")
    .action((id: string, options: HistoryOptions) =>
      run(options, (settings) => show(settings, accountIdArgument(id), pastArgument(options.at))),
    );
}

function pastArgument(text: string): Instant {
  const at = instantArgument("--at", text);
  if (at <= Date.now()) return at;
  throw new WrongUsage(`--at ${formatInstant(at)} is in the future; name a past instant`);
}

async function show(settings: Settings, accountId: AccountId, at: Instant): Promise<Result> {
  const { account, pastUntil } = await readBooks(settings, async (transaction) => ({
    account: await readAccountHistory(transaction, accountId, at),
    pastUntil: await usagePastUntil(transaction, accountId),
  }));
  if (account === null) return noAccount(accountId);
  if (at < account.createdAt) {
    return refused(
      `account ${accountId} did not exist at ${formatInstant(at)}; it was created ${formatInstant(account.createdAt)}`,
    );
  }
  if (pastUntil !== null && at < pastUntil) {
    return refused(
      `usage of account ${accountId} from before ${formatInstant(pastUntil)} is past retention, so what it had used at ${formatInstant(at)} is not known; its lots and entries are (drawdown lots, drawdown entries)`,
    );
  }
  const history = { ...account, views: lineAt(account.line) };
  return shown(accountHistory, toAccountHistory(history), historyText(history));
}

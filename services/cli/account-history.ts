import type { Command } from "commander";
import type { AccountId, Instant } from "../../shared/core/account.ts";
import { lineAt } from "../../shared/core/line-at.ts";
import { readAccountHistory } from "../../shared/ledger/account-history.ts";
import { readSnapshot } from "../../shared/ledger/read-snapshot.ts";
import type { Settings } from "../../shared/runtime/settings.ts";
import { formatInstant } from "../../shared/words/plain-words.ts";
import { historyJson, historyText } from "./account-history-text.ts";
import { accountIdArgument, instantArgument } from "./arguments.ts";
import { type Result, refused, shown, WrongUsage } from "./result.ts";
import { addCommand, type JsonOption, run } from "./run-command.ts";
import { withDatabase } from "./with-database.ts";

interface HistoryOptions extends JsonOption {
  readonly at: string;
}

export function addAccountHistoryCommand(account: Command): void {
  addCommand(account, "history <account>", {
    does: "show an account at any instant: its balance, lots and settings as the books had them then, and as they are known now",
    examples: ["account history acme --at 2026-11-01T00:00:00Z"],
  })
    .requiredOption("--at <instant>", "which instant, in ISO 8601 with its offset")
    .action((id: string, options: HistoryOptions) =>
      run(options, (settings) => show(settings, accountIdArgument(id), pastArgument(options.at))),
    );
}

function pastArgument(text: string): Instant {
  const at = instantArgument("--at", text);
  if (at <= Date.now()) return at;
  throw new WrongUsage(`--at ${formatInstant(at)} has not come yet; name an instant that has`);
}

async function show(settings: Settings, accountId: AccountId, at: Instant): Promise<Result> {
  const read = await withDatabase(settings, (database) =>
    readSnapshot(database, (transaction) => readAccountHistory(transaction, accountId, at)),
  );
  if (read === null) return refused(`there is no account ${accountId}`);
  if (at < read.createdAt) {
    return refused(
      `there was no account ${accountId} at ${formatInstant(at)}; it was created ${formatInstant(read.createdAt)}`,
    );
  }
  const history = { ...read, views: lineAt(read.line) };
  return shown(historyJson(history), historyText(history));
}

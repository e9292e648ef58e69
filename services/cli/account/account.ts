import type { Command } from "commander";
import { balanceOf } from "../../../shared/core/line/credit-line.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import {
  type AccountDetails,
  readAccountDetails,
} from "../../../shared/ledger/books/account-details.ts";
import { readLiveLots } from "../../../shared/ledger/books/read-lots.ts";
import { createAccount, type NewAccount } from "../../../shared/ledger/credits/create-account.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import {
  accountIdArgument,
  byArgument,
  creditsArgument,
  currencyArgument,
  timeZoneArgument,
} from "../shell/arguments.ts";
import { fields, instantJson, printable } from "../shell/print.ts";
import { noAccount, type Result, refused, shown } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { withDatabase } from "../shell/with-database.ts";
import { addChangeCommand, type ByOption } from "../subscription/make-change.ts";
import { addAccountHistoryCommand } from "./history.ts";
import { addAccountSetCommand } from "./set.ts";

interface CreateOptions extends ByOption {
  readonly timeZone: string;
  readonly currency: string;
  readonly threshold: string;
}

export function addAccountCommands(program: Command): void {
  const account = program.command("account").description("create, set and show accounts");
  addChangeCommand(account, "create <account>", {
    does: "create an account; the same again changes nothing",
    examples: ["account create acme --time-zone Europe/Berlin --currency EUR --threshold 5"],
  })
    .option("--time-zone <name>", "whose calendar its months follow", "UTC")
    .option("--currency <code>", "what it pays in", "USD")
    .option("--threshold <credits>", "a balance that falls to it is low", "0")
    .action((id: string, options: CreateOptions) =>
      run(options, (settings) => create(settings, toSettings(id, options), byArgument(options.by))),
    );
  addAccountSetCommand(account);
  addCommand(account, "show <account>", {
    does: "show an account's balance and settings",
    examples: ["account show acme"],
  }).action((id: string, options: JsonOption) => run(options, (settings) => show(settings, id)));
  addAccountHistoryCommand(account);
}

function toSettings(id: string, options: CreateOptions): NewAccount {
  return {
    accountId: accountIdArgument(id),
    timeZone: timeZoneArgument(options.timeZone),
    currency: currencyArgument(options.currency),
    threshold: creditsArgument(options.threshold),
  };
}

async function create(settings: Settings, asked: NewAccount, by: string): Promise<Result> {
  const { accountId } = asked;
  const outcome = await withDatabase(settings, (database) =>
    createAccount(database, asked, { now: Date.now(), by }),
  );
  switch (outcome.kind) {
    case "created":
      return shown(
        { outcome: outcome.kind, ...settingsJson(asked) },
        `Account ${printable(accountId)} created: ${inWords(asked)}.`,
      );
    case "already_exists":
      return shown(
        { outcome: outcome.kind, ...settingsJson(asked) },
        `Account ${printable(accountId)} already exists with these settings; nothing was changed.`,
      );
    case "account_exists":
      return refused(outcome);
  }
}

async function show(settings: Settings, id: string): Promise<Result> {
  const accountId = accountIdArgument(id);
  const found = await withDatabase(settings, (database) =>
    readSnapshot(database, async (transaction) => {
      const details = await readAccountDetails(transaction, accountId);
      const live = await readLiveLots(transaction, [accountId]);
      return details && { ...details, liveLots: live.get(accountId)?.length ?? 0 };
    }),
  );
  if (found === null) return noAccount(accountId);
  return shown(detailsJson(found), detailsText(found));
}

type Shown = AccountDetails & { readonly liveLots: number };

function detailsJson({ account, currency, createdAt, liveLots }: Shown) {
  const { accountId, timeZone, threshold } = account;
  return {
    ...settingsJson({ accountId, timeZone, currency, threshold }),
    balance: balanceOf(account),
    granted: account.granted,
    position: account.position,
    low_balance: account.lowBalance,
    crossings: account.crossings,
    entries: account.entries,
    live_lots: liveLots,
    next_due_at: instantJson(account.nextDueAt),
    version: account.version,
    created_at: instantJson(createdAt),
  };
}

function detailsText({ account, currency, createdAt, liveLots }: Shown): string {
  const balance = balanceOf(account);
  const debt =
    balance < 0n ? `, a debt of ${formatCredits(-balance)} credits that the next lot repays` : "";
  return fields([
    ["account", account.accountId],
    ["balance", `${formatCredits(balance)} credits${debt}`],
    ["granted", formatCredits(account.granted)],
    ["position", formatCredits(account.position)],
    ["threshold", formatCredits(account.threshold)],
    ["low balance", account.lowBalance ? "said; a grant arms it again" : "no"],
    ["crossings", String(account.crossings)],
    ["live lots", String(liveLots)],
    ["next due", formatInstant(account.nextDueAt, "nothing")],
    ["time zone", account.timeZone],
    ["currency", currency],
    ["created", formatInstant(createdAt)],
    ["version", String(account.version)],
  ]);
}

function settingsJson({ accountId, timeZone, currency, threshold }: NewAccount) {
  return { account_id: accountId, time_zone: timeZone, currency, threshold };
}

function inWords({ timeZone, currency, threshold }: NewAccount): string {
  return `time zone ${timeZone}, currency ${currency}, threshold ${formatCredits(threshold)} credits`;
}

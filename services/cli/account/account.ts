import type { Command } from "commander";
import { z } from "zod";
import { account, accountFields, toAccount } from "../../../shared/contract/account.ts";
import { noun } from "../../../shared/contract/noun.ts";
import type { Account, AccountId, Instant } from "../../../shared/core/line/account.ts";
import { waitsForNeed } from "../../../shared/core/line/low-balance.ts";
import { formatCredits, overdraftText } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { createAccount, type NewAccount } from "../../../shared/ledger/credits/create-account.ts";
import {
  type AccountOverview,
  readAccountOverview,
} from "../../../shared/ledger/payments/account-overview.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { balanceText } from "../credits/lot-text.ts";
import {
  byArgument,
  creditsArgument,
  currencyArgument,
  newAccountIdArgument,
  timeZoneArgument,
} from "../shell/arguments.ts";
import { addChangeCommand, type ByOption } from "../shell/change-command.ts";
import { fields, printable } from "../shell/print.ts";
import { readBooks } from "../shell/read-books.ts";
import { noAccount, type Result, refused, shown } from "../shell/result.ts";
import { addCommand, forAccount, run } from "../shell/run-command.ts";
import { withDatabase } from "../shell/with-database.ts";
import { addAccountChangesCommand } from "./changes.ts";
import { addAccountHistoryCommand } from "./history.ts";
import { addAccountSetCommand } from "./set.ts";

interface CreateOptions extends ByOption {
  readonly timeZone: string;
  readonly currency: string;
  readonly threshold: string;
}

export function addAccountCommands(program: Command): void {
  const accounts = program.command("account").description("create, set and show accounts");
  addChangeCommand(accounts, "create <account>", {
    does: "create an account; running it again with the same settings changes nothing",
    examples: ["account create acme --time-zone Europe/Berlin --currency EUR --threshold 5"],
  })
    .option("--time-zone <name>", "the time zone of its months", "UTC")
    .option("--currency <code>", "the currency it pays in", "USD")
    .option("--threshold <credits>", "the balance at which the account counts as low", "0")
    .action((id: string, options: CreateOptions) =>
      run(options, (settings) => create(settings, toSettings(id, options), byArgument(options.by))),
    );
  addAccountSetCommand(accounts);
  addCommand(accounts, "show <account>", {
    does: "show an account's balance and settings",
    examples: ["account show acme"],
  }).action(forAccount(show));
  addAccountHistoryCommand(accounts);
  addAccountChangesCommand(accounts);
}

function toSettings(id: string, options: CreateOptions): NewAccount {
  return {
    accountId: newAccountIdArgument(id),
    timeZone: timeZoneArgument(options.timeZone),
    currency: currencyArgument(options.currency),
    threshold: creditsArgument(options.threshold),
  };
}

const created = noun({ outcome: z.enum(["created", "already_exists"]), ...accountFields });

async function create(settings: Settings, requested: NewAccount, by: string): Promise<Result> {
  const { accountId } = requested;
  const now = Date.now();
  const outcome = await withDatabase(settings, (database) =>
    createAccount(database, requested, { now, by }),
  );
  if (outcome.kind === "account_exists") return refused(outcome);
  const overview = await readOverview(settings, accountId);
  if (overview === null) return noAccount(accountId);
  return shown(
    created,
    { outcome: outcome.kind, ...toAccount(overview, now) },
    outcome.kind === "created"
      ? `Account ${printable(accountId)} created: ${inWords(requested)}.`
      : `Account ${printable(accountId)} already exists with these settings; nothing was changed.`,
  );
}

async function show(settings: Settings, accountId: AccountId): Promise<Result> {
  const overview = await readOverview(settings, accountId);
  if (overview === null) return noAccount(accountId);
  const at = Date.now();
  const view = toAccount(overview, at);
  return shown(account, view, detailsText(view, overview, at));
}

function readOverview(settings: Settings, accountId: AccountId): Promise<AccountOverview | null> {
  return readBooks(settings, (transaction) =>
    readAccountOverview(transaction, accountId, Date.now()),
  );
}

function detailsText(
  { balance, liveLots }: Pick<ReturnType<typeof toAccount>, "balance" | "liveLots">,
  { account: of, currency, createdAt, lots }: AccountOverview,
  at: Instant,
): string {
  const debt =
    balance < 0n ? `, a debt of ${formatCredits(-balance)} credits that the next lot repays` : "";
  return fields([
    ["account", of.accountId],
    ["balance", `${balanceText(of, lots, at)}${debt}`],
    ...(of.held === 0n
      ? []
      : [
          ["held", formatCredits(of.held)] as const,
          ["available", formatCredits(balance - of.held)] as const,
        ]),
    ["granted", formatCredits(of.granted)],
    ["position", formatCredits(of.position)],
    ["threshold", formatCredits(of.threshold)],
    ...(of.overdraft === null ? [] : [["overdraft", overdraftText(of.overdraft)] as const]),
    ["low balance", lowBalanceText(of)],
    ["crossings", String(of.crossings)],
    ["live lots", String(liveLots)],
    ["next due", formatInstant(of.nextDueAt, "nothing")],
    ["time zone", of.timeZone],
    ["currency", currency],
    ["created", formatInstant(createdAt)],
    ["version", String(of.version)],
  ]);
}

function lowBalanceText(account: Account): string {
  if (!account.lowBalance) return "no";
  return waitsForNeed(account)
    ? "published; auto top-up waits until credits are needed"
    : "published; re-armed by the next grant";
}

function inWords({ timeZone, currency, threshold }: NewAccount): string {
  return `time zone ${timeZone}, currency ${currency}, threshold ${formatCredits(threshold)} credits`;
}

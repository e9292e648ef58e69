import type { Command } from "commander";
import { z } from "zod";
import {
  alert,
  alertPage,
  alertSettings,
  alertSettingsFields,
  toAlertSettings,
} from "../../../shared/contract/alert.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { listOf } from "../../../shared/contract/page.ts";
import {
  type AlertSettings,
  DEFAULT_ALERTS,
  levelsOf,
  MOST_LEVELS,
  MOST_RUNWAY_DAYS,
} from "../../../shared/core/alerts/alert-settings.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import {
  readAlertSettings,
  type SetAlerts,
  setAlerts,
} from "../../../shared/ledger/alerts/alert-settings.ts";
import { listAlerts } from "../../../shared/ledger/alerts/list-alerts.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument, wholeArgument } from "../shell/arguments.ts";
import {
  addChangeCommand,
  type ByOption,
  type ChangeRequest,
  toRequest,
} from "../shell/change-command.ts";
import { addPageOptions, moreLines, type PageOptions, pageArgument } from "../shell/paging.ts";
import { fields, printable, table } from "../shell/print.ts";
import { readAccountBooks } from "../shell/read-books.ts";
import { noAccount, type Result, shown, WrongUsage } from "../shell/result.ts";
import { addCommand, forAccount, run } from "../shell/run-command.ts";
import { orUnknown, withDatabase } from "../shell/with-database.ts";

interface SetOptions extends ByOption {
  readonly month?: readonly string[];
  readonly topUps?: readonly string[];
  readonly budgets?: readonly string[];
  readonly runway?: string;
  readonly declines: boolean;
}

export function addAlertCommands(program: Command): void {
  const alerts = program
    .command("alerts")
    .description("what accounts are told of, and what was raised");
  addChangeCommand(alerts, "set <account>", {
    does: "raise alerts about an account; what is left out is the default",
    examples: ["alerts set acme", "alerts set acme --month 75 100 --runway 14 --top-ups none"],
  })
    .option("--month <percents...>", "of the month's credits, or none (default: 50 80 100)")
    .option(
      "--top-ups <percents...>",
      "of the month's limit of top-ups, or none (default: 50 80 100)",
    )
    .option("--budgets <percents...>", "of each budget, or none (default: 50 80 100)")
    .option("--runway <days>", "when the credits last for fewer days, or none (default: 7)")
    .option("--no-declines", "not that auto top-up is declined, paused or stopped")
    .action((id: string, options: SetOptions) =>
      run(options, (settings) => set(settings, toRequest(id, options), settingsIn(options))),
    );
  addChangeCommand(alerts, "off <account>", {
    does: "raise no more alerts about an account",
    examples: ["alerts off acme"],
  }).action((id: string, options: ByOption) =>
    run(options, (settings) => set(settings, toRequest(id, options), null)),
  );
  addCommand(alerts, "show <account>", {
    does: "show what an account is told of",
    examples: ["alerts show acme"],
  }).action(forAccount(show));
  addPageOptions(
    addCommand(alerts, "list <account>", {
      does: "list the alerts that were raised about an account, newest first",
      examples: ["alerts list acme"],
    }),
  ).action((id: string, options: PageOptions) =>
    run(options, (settings) => list(settings, accountIdArgument(id), options)),
  );
}

function settingsIn({ month, topUps, budgets, runway, declines }: SetOptions): AlertSettings {
  return {
    monthPercents: percentsIn("--month", month) ?? DEFAULT_ALERTS.monthPercents,
    topUpPercents: percentsIn("--top-ups", topUps) ?? DEFAULT_ALERTS.topUpPercents,
    budgetPercents: percentsIn("--budgets", budgets) ?? DEFAULT_ALERTS.budgetPercents,
    runwayDays: runway === undefined ? DEFAULT_ALERTS.runwayDays : daysIn(runway),
    topUps: declines,
  };
}

function percentsIn(name: string, texts: readonly string[] | undefined) {
  if (texts === undefined) return undefined;
  if (texts.length === 1 && texts[0] === "none") return [];
  if (texts.length > MOST_LEVELS)
    throw new WrongUsage(`${name} has more than ${MOST_LEVELS} levels`);
  return levelsOf(texts.map((text) => wholeUpTo(name, text, 100)));
}

function daysIn(text: string): number | null {
  return text === "none" ? null : wholeUpTo("--runway", text, MOST_RUNWAY_DAYS);
}

function wholeUpTo(name: string, text: string, most: number): number {
  const number = wholeArgument(name, text, 1n);
  if (number > most) throw new WrongUsage(`${name} must be at most ${most}, not "${text}"`);
  return Number(number);
}

const alertsSet = noun({ outcome: z.literal("set"), ...alertSettingsFields });

async function set(
  settings: Settings,
  request: ChangeRequest,
  asked: AlertSettings | null,
): Promise<Result> {
  const { accountId } = request;
  const now = Date.now();
  return withDatabase(settings, async (database) => {
    const { kind } = await orUnknown(
      setAlerts(database, { ...request, now }, asked),
      "it may or may not have been set; run it again, which is safe",
    );
    if (kind === "unknown_account") return noAccount(accountId);
    const stands = await readAlertSettings(database, accountId);
    const data = { outcome: kind, ...toAlertSettings(accountId, stands) };
    return shown(alertsSet, data, settingsText(accountId, stands));
  });
}

function show(settings: Settings, id: AccountId): Promise<Result> {
  return readAccountBooks(settings, id, async (transaction) => {
    const stored = await readAlertSettings(transaction, id);
    return shown(alertSettings, toAlertSettings(id, stored), settingsText(id, stored));
  });
}

function settingsText(id: AccountId, set: SetAlerts | null): string {
  if (set === null) return `No alerts are raised about account ${printable(id)}.`;
  const { monthPercents, topUpPercents, budgetPercents, runwayDays, topUps, by, at } = set;
  return fields([
    ["account", id],
    ["month's credits", percentsText(monthPercents)],
    ["month's top-ups", percentsText(topUpPercents)],
    ["budgets", percentsText(budgetPercents)],
    ["runway", runwayDays === null ? "none" : `below ${runwayDays} days`],
    ["auto top-up", topUps ? "declined, paused or stopped" : "none"],
    ["set by", by],
    ["set", formatInstant(at)],
  ]);
}

function percentsText(percents: readonly number[]): string {
  return percents.length === 0 ? "none" : `${percents.join(", ")} %`;
}

function list(settings: Settings, id: AccountId, options: PageOptions): Promise<Result> {
  const asked = pageArgument(options);
  return readAccountBooks(settings, id, async (transaction) => {
    const page = await alertPage(asked, (range) => listAlerts(transaction, id, range));
    if (page.items.length === 0) return shown(listOf(alert), page, "No alerts were raised.");
    const rows = table(page.items, [
      ["#", ({ sequence }) => sequence, "right"],
      ["RAISED", ({ raisedAt }) => formatInstant(raisedAt)],
      ["KIND", ({ kind }) => kind],
      ["CAUSE", ({ cause }) => cause],
      ["REASON", ({ reason }) => reason],
    ]);
    return shown(listOf(alert), page, [rows, ...moreLines(page.nextCursor)].join("\n"));
  });
}

import { z } from "zod";
import {
  alert,
  alertPage,
  alertSettings,
  toAlertSettings,
} from "../../../shared/contract/alert.ts";
import { listOf, page } from "../../../shared/contract/page.ts";
import {
  type AlertSettings,
  DEFAULT_ALERTS,
  levelsOf,
  MOST_LEVELS,
  MOST_RUNWAY_DAYS,
} from "../../../shared/core/alerts/alert-settings.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { readAlertSettings, setAlerts } from "../../../shared/ledger/alerts/alert-settings.ts";
import { listAlerts } from "../../../shared/ledger/alerts/list-alerts.ts";
import { nameOf } from "../access/caller.ts";
import { refuse } from "../problem.ts";
import { READ, type RouteContext, readOfAccount, requestBody, route, WRITE } from "./route.ts";

const SETTINGS = "/v1/accounts/:account_id/alert-settings";

const percents = z.array(z.number().int().min(1).max(100)).max(MOST_LEVELS);

const newSettings = requestBody("New alert settings", {
  month_percents: percents
    .optional()
    .meta({ description: "Of the month's credits. Default: 50, 80, 100." }),
  top_up_percents: percents.optional().meta({
    description: "Of what may be charged for top-ups in a month. Default: 50, 80, 100.",
  }),
  budget_percents: percents.optional().meta({
    description: "Of each budget that the account has. Default: 50, 80, 100.",
  }),
  runway_days: z.number().int().min(1).max(MOST_RUNWAY_DAYS).nullable().optional().meta({
    description: "Told once the credits last for fewer days; null: never. Default: 7.",
  }),
  top_ups: z.boolean().optional().meta({
    description:
      "Whether to tell of auto top-up that is declined, paused or stopped. Default: true.",
  }),
});

export const alertRoutes = [
  route(
    {
      ...READ,
      path: "/v1/accounts/:account_id/alerts",
      tag: "alerts",
      summary: "List the alerts that were raised about an account, newest first",
      query: page,
      response: { 200: listOf(alert) },
    },
    ({ params: { account_id }, query }, context) =>
      readOfAccount(context, account_id, (transaction) =>
        alertPage(query, (asked) => listAlerts(transaction, account_id, asked)),
      ),
  ),
  route(
    {
      ...READ,
      byToken: false,
      path: SETTINGS,
      tag: "alerts",
      summary: "Show what an account asks to be told of",
      response: { 200: alertSettings },
    },
    ({ params: { account_id } }, context) =>
      readOfAccount(context, account_id, async (transaction) =>
        toAlertSettings(account_id, await readAlertSettings(transaction, account_id)),
      ),
  ),
  route(
    {
      ...WRITE,
      method: "PUT",
      path: SETTINGS,
      tag: "alerts",
      summary: "Set what an account asks to be told of",
      description:
        "What is left out is the default. Levels that are reached already, and were not raised in their month or window, are raised at once.",
      body: newSettings,
      response: { 200: alertSettings },
    },
    (request, context) =>
      set(context, request.params.account_id, nameOf(request), settingsIn(request.body)),
  ),
  route(
    {
      ...WRITE,
      method: "DELETE",
      path: SETTINGS,
      tag: "alerts",
      summary: "Raise no more alerts about an account",
      response: { 200: alertSettings },
    },
    (request, context) => set(context, request.params.account_id, nameOf(request), null),
  ),
];

function settingsIn(body: z.output<typeof newSettings>): AlertSettings {
  const { month_percents, top_up_percents, budget_percents, runway_days, top_ups } = body;
  return {
    monthPercents: levelsOf(month_percents ?? DEFAULT_ALERTS.monthPercents),
    topUpPercents: levelsOf(top_up_percents ?? DEFAULT_ALERTS.topUpPercents),
    budgetPercents: levelsOf(budget_percents ?? DEFAULT_ALERTS.budgetPercents),
    runwayDays: runway_days === undefined ? DEFAULT_ALERTS.runwayDays : runway_days,
    topUps: top_ups ?? DEFAULT_ALERTS.topUps,
  };
}

async function set(
  { database, now }: RouteContext,
  accountId: AccountId,
  by: string,
  settings: AlertSettings | null,
) {
  const outcome = await setAlerts(database, { accountId, now: now(), by }, settings);
  if (outcome.kind === "unknown_account") throw refuse(outcome);
  return toAlertSettings(accountId, await readAlertSettings(database, accountId));
}

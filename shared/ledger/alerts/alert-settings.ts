import type { AlertSettings } from "../../core/alerts/alert-settings.ts";
import type { Account, AccountId, Instant } from "../../core/line/account.ts";
import { MAX_BIGINT } from "../../core/line/credit-line.ts";
import type { Refusal } from "../../core/line/refusal.ts";
import { queueBalanceChanges } from "../outbox/balance-changes.ts";
import { bigintArray } from "../postgres/array-literal.ts";
import { type Database, inTransaction, type Queryable, queryRow } from "../postgres/database.ts";
import { raiseReachedBudgets } from "./budget-alerts.ts";
import { raiseMonthAlertsOf } from "./month-alerts.ts";

/** An account's settings of alerts, and who set them. */
export interface SetAlerts extends AlertSettings {
  readonly by: string;
  readonly at: Instant;
}

const READ = `
  SELECT month_percents AS "monthPercents", top_up_percents AS "topUpPercents",
         budget_percents AS "budgetPercents", runway_days AS "runwayDays", top_ups AS "topUps", set_by AS by, set_at AS at
  FROM alert_setting
  WHERE account_id = $1`;

/** What an account asks to be told of; null: nothing. */
export async function readAlertSettings(
  database: Queryable,
  accountId: AccountId,
): Promise<SetAlerts | null> {
  return queryRow<SetAlerts>(database, READ, [accountId]);
}

// A batch that was metered without knowing of the alerts runs again: the version is another one.
const WATCH = `
  UPDATE account
  SET alert_at = $2, version = version + 1
  WHERE account_id = $1
  RETURNING account_id AS "accountId", time_zone AS "timeZone", budgets::text AS budgets, alert_at AS "alertAt"`;

const WRITE = `
  INSERT INTO alert_setting (account_id, month_percents, top_up_percents, runway_days, top_ups, look_at, set_by, set_at,
                             budget_percents)
  VALUES ($1, $2, $3, $4::integer, $5, CASE WHEN $4::integer IS NOT NULL THEN to_timestamp($7 / 1000.0) END,
          $6, to_timestamp($7 / 1000.0), $8)
  ON CONFLICT (account_id) DO UPDATE
  SET month_percents = excluded.month_percents,
      top_up_percents = excluded.top_up_percents,
      runway_days = excluded.runway_days,
      top_ups = excluded.top_ups,
      runway_low = alert_setting.runway_low AND alert_setting.runway_days >= excluded.runway_days,
      look_at = excluded.look_at,
      set_by = excluded.set_by,
      set_at = excluded.set_at,
      budget_percents = excluded.budget_percents`;

const FORGET = "DELETE FROM alert_setting WHERE account_id = $1";

type Watched = Pick<Account, "accountId" | "timeZone" | "budgets" | "alertAt">;

type Outcome = { readonly kind: "set" } | Refusal<"unknown_account">;

/**
 * Sets what an account asks to be told of, instead of what it asked before; null: nothing. What the month's
 * credits and budgets have reached already and was not said is raised at once. `by` is who requested it.
 */
export async function setAlerts(
  database: Database,
  {
    accountId,
    now,
    by,
  }: { readonly accountId: AccountId; readonly now: Instant; readonly by: string },
  settings: AlertSettings | null,
): Promise<Outcome> {
  return inTransaction(database, async (transaction): Promise<Outcome> => {
    const values = [accountId, settings === null ? null : MAX_BIGINT];
    const account = await queryRow<Watched>(transaction, WATCH, values);
    if (account === null) return { kind: "unknown_account", accountId };
    await queueBalanceChanges(transaction, [{ accountId }]);
    if (settings === null) {
      await transaction.query(FORGET, [accountId]);
      return { kind: "set" };
    }
    const { monthPercents, topUpPercents, budgetPercents, runwayDays, topUps } = settings;
    const levels = [bigintArray(monthPercents), bigintArray(topUpPercents)];
    const rest = [runwayDays, topUps, by, now, bigintArray(budgetPercents)];
    await transaction.query(WRITE, [accountId, ...levels, ...rest]);
    await raiseMonthAlertsOf(transaction, [accountId], now);
    await raiseReachedBudgets(transaction, account, null, now);
    return { kind: "set" };
  });
}

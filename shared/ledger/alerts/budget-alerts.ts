import { budgetAlert, type ReachedBudget } from "../../core/alerts/budget-alerts.ts";
import { readCounted } from "../../core/budgets/counted.ts";
import { windowAt } from "../../core/budgets/window.ts";
import type { Account, Instant } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import { REFERENCE } from "../../core/line/reference.ts";
import { findReaching } from "../../core/usage/budget-crossings.ts";
import { spendsByValue, type WindowSpend } from "../../core/usage/budget-spend.ts";
import type { ColumnMetering } from "../../core/usage/meter-columns.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import { budgetOfValue } from "./budget-of-value.ts";
import { raiseAlerts } from "./raise-alerts.ts";

// At least a micro-credit: nothing is reached before something is spent. All of it stays within 64 bits.
const MARK = "greatest(1, credits / 100 * percent + (credits % 100 * percent + 99) / 100)";

const CROSSED = `
  SELECT place - 1 AS place, percent, credits AS limit, before, mark - before AS after
  FROM (
    SELECT place, percent, credits, spent - added AS before, ${MARK} AS mark, spent
    FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::text[], $6::bigint[])
      WITH ORDINALITY AS spending (account_id, dimension, window_name, start, value, added, place)
    CROSS JOIN LATERAL (
      SELECT account_id, dimension, window_name, value, ends_at, sum(spent)::bigint AS spent
      FROM budget_spent AS part
      WHERE part.account_id = spending.account_id AND part.dimension = spending.dimension
        AND part.window_name = spending.window_name AND starts_at = to_timestamp(start / 1000)
        AND part.value = spending.value
      GROUP BY account_id, dimension, window_name, value, ends_at
    ) AS spend
    JOIN alert_setting ON alert_setting.account_id = spending.account_id
    CROSS JOIN ${budgetOfValue("spend")}
    CROSS JOIN unnest(budget_percents) AS percent
    WHERE ends_at IS NULL OR ends_at > (SELECT since FROM budget_kept)
  ) AS level
  WHERE before < mark AND spent >= mark
  ORDER BY place, percent`;

/**
 * Raises the levels of budgets that a batch has reached, each by the event that did. Costs nothing where no account
 * of it has both budgets and alerts. Call it once what the batch has spent is added and its accounts are locked.
 */
export async function raiseBudgetAlerts(
  transaction: Transaction,
  metering: ColumnMetering,
  spends: readonly WindowSpend[],
  now: Instant,
): Promise<void> {
  if (spends.length === 0) return;
  const watched = metering.accounts.filter(({ alertAt }) => alertAt !== null);
  const zones = new Map(watched.map(({ accountId, timeZone }) => [accountId, timeZone]));
  const ofWatched = spendsByValue(spends.filter(({ accountId }) => zones.has(accountId)));
  if (ofWatched.length === 0) return;
  const names = ["accountId", "dimension", "window", "startsAt", "value", "credits"] as const;
  type Row = Record<"limit" | "before" | "after", MicroCredits> & {
    readonly place: bigint;
    readonly percent: number;
  };
  const values = columnsOf(ofWatched, ...names);
  const rows = await queryRows<Row>(transaction, CROSSED, values, "find-crossed-budgets");
  const marks = rows.flatMap(({ place, ...mark }) => {
    const spend = ofWatched[Number(place)];
    return spend === undefined ? [] : [{ ...mark, spend }];
  });
  const reached = findReaching(metering, marks).map(({ spend, before, sum, eventId, ...level }) => {
    const timeZone = zones.get(spend.accountId) ?? "UTC";
    const cause = REFERENCE.eventCause.write({ eventId });
    return budgetAlert({ ...spend, ...level, timeZone, cause, used: before + sum });
  });
  await raiseAlerts(transaction, reached, now);
}

/** Values whose levels are raised when something is set, at most: the fullest. */
const MOST_VALUES = 1_000;

const REACHED = (condition: string) => `
  SELECT dimension, "window", value, "startsAt", spent AS used, credits AS limit, percent
  FROM (
    SELECT spend.dimension, spend.window_name AS "window", spend.value, start AS "startsAt", spent, credits,
           budget_percents
    FROM unnest($2::text[], $3::text[], $4::float8[]) AS span (dimension, window_name, start)
    CROSS JOIN LATERAL (
      SELECT account_id, dimension, window_name, value, sum(spent)::bigint AS spent
      FROM budget_spent AS part
      WHERE account_id = $1 AND part.dimension = span.dimension AND part.window_name = span.window_name
        AND starts_at = to_timestamp(start / 1000) ${condition}
      GROUP BY account_id, dimension, window_name, value
    ) AS spend
    JOIN alert_setting ON alert_setting.account_id = $1
    CROSS JOIN ${budgetOfValue("spend")}
    CROSS JOIN LATERAL (SELECT budget_percents[1] AS percent) AS lowest
    WHERE spent >= ${MARK}
    ORDER BY spent / greatest(credits, 1)::float8 DESC, spend.dimension, spend.window_name, spend.value
    LIMIT ${MOST_VALUES}
  ) AS fullest
  CROSS JOIN unnest(budget_percents) AS percent
  WHERE spent >= ${MARK}
  ORDER BY dimension, "window", value, percent`;

const OF_EVERY = REACHED("");
const OF_VALUE = REACHED("AND value = $5");

/** Which budgets of an account were set. */
interface SetPlace {
  readonly dimension: string;
  /** Empty: of every value. */
  readonly value: string;
}

/**
 * Raises what is reached in the windows of now because something was set, where it was not raised in its window:
 * of one budget, or of all (null). Costs nothing for accounts without alerts. The account must be locked, and its
 * spend counted.
 */
export async function raiseReachedBudgets(
  transaction: Transaction,
  account: Pick<Account, "accountId" | "timeZone" | "budgets" | "alertAt">,
  place: SetPlace | null,
  now: Instant,
): Promise<void> {
  const { accountId, timeZone, budgets, alertAt } = account;
  if (alertAt === null) return;
  const spans = readCounted(budgets)
    .filter(({ dimension }) => place === null || dimension === place.dimension)
    .map(({ dimension, window }) => ({ dimension, window, ...windowAt(window, now, timeZone) }));
  if (spans.length === 0) return;
  const values = [accountId, ...columnsOf(spans, "dimension", "window", "start")];
  const value = place?.value ?? "";
  type Row = Pick<ReachedBudget, "dimension" | "window" | "value" | "startsAt" | "used"> &
    Pick<ReachedBudget, "limit" | "percent">;
  const rows =
    value === ""
      ? await queryRows<Row>(transaction, OF_EVERY, values)
      : await queryRows<Row>(transaction, OF_VALUE, [...values, value]);
  const alerts = rows.map((row) =>
    budgetAlert({ ...row, accountId, timeZone, cause: "settings", occurredAt: now }),
  );
  if (alerts.length === 0) return;
  const said = await queryRows<{ readonly place: bigint }>(transaction, SAID, [
    accountId,
    ...columnsOf(alerts, "subject", "window", "level"),
  ]);
  const places = new Set(said.map(({ place: at }) => Number(at)));
  const fresh = alerts.filter((_, at) => !places.has(at));
  await raiseAlerts(transaction, fresh, now);
}

// Whatever the budget was then: it was said that the window is so far.
const SAID = `
  SELECT place - 1 AS place
  FROM unnest($2::text[], $3::text[], $4::integer[]) WITH ORDINALITY AS reached (subject, window_name, level, place)
  WHERE EXISTS (
    SELECT FROM alert
    WHERE alert.account_id = $1 AND kind = 'budget' AND alert.subject = reached.subject
      AND alert.window_name = reached.window_name AND alert.level = reached.level)`;

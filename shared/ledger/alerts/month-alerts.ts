import type { Alert } from "../../core/alerts/alert.ts";
import { monthMarks, nextMark, sizeOf, usedOf } from "../../core/alerts/month-credits.ts";
import type { Account, AccountId, Entry, Instant } from "../../core/line/account.ts";
import type { MicroCredits, Stretch } from "../../core/line/credit-line.ts";
import { columnsOf, textArray } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import { findCrossings, type LineMark } from "./find-crossings.ts";
import { raiseAlerts } from "./raise-alerts.ts";

/** What a transaction has moved, after it is written. */
interface Moved {
  readonly accounts: readonly Account[];
  readonly entries: readonly Entry[];
}

/**
 * Raises what moved accounts have reached of the month's credits, naming the event or entry that did, and sets
 * where the next level is. Costs nothing for accounts without alerts, nor where usage has reached none. Call it
 * once the transaction has written the accounts and their usage.
 */
export async function raiseMonthAlerts(
  transaction: Transaction,
  { accounts, entries }: Moved,
  now: Instant,
): Promise<void> {
  const watched = accounts.filter(({ alertAt }) => alertAt !== null);
  if (watched.length === 0) return;
  const posted = new Set(entries.map(({ accountId }) => accountId));
  const reached = watched.filter(
    ({ accountId, alertAt, position }) =>
      posted.has(accountId) || (alertAt !== null && position >= alertAt),
  );
  await raiseMonthAlertsOf(
    transaction,
    reached.map(({ accountId }) => accountId),
    now,
  );
}

/** The same for accounts that the caller has locked, whatever has moved them. */
export async function raiseMonthAlertsOf(
  transaction: Transaction,
  accountIds: readonly AccountId[],
  now: Instant,
): Promise<void> {
  if (accountIds.length === 0) return;
  const months = await readMonths(transaction, accountIds);
  const reached = months.flatMap(({ accountId, marks, raised, position }) =>
    marks
      .filter(({ at, percent }) => at <= position && !raised.includes(percent))
      .map(({ at, percent }) => ({ accountId, at, percent })),
  );
  const byId = new Map(months.map((month) => [month.accountId, month]));
  const alerts = (await crossed(transaction, reached)).flatMap(({ accountId, percent, ...by }) => {
    const month = byId.get(accountId);
    // What has expired is not used.
    return month === undefined || by.isExpiry ? [] : [alertOf(month, percent, by, now)];
  });
  await raiseAlerts(transaction, alerts, now);
  const next = months.map(({ accountId, marks, position }) => {
    return { accountId, alertAt: nextMark(marks, position) };
  });
  const values = columnsOf(next, "accountId", "alertAt");
  await transaction.query({ name: "set-alert-at", text: NEXT, values });
}

const NEXT = `
  UPDATE account
  SET alert_at = next.alert_at
  FROM unnest($1::text[], $2::bigint[]) AS next (account_id, alert_at)
  WHERE account.account_id = next.account_id
    AND account.alert_at IS DISTINCT FROM next.alert_at`;

/** An account's month: its lots, the levels on them, and those that were raised. */
interface Month {
  readonly accountId: AccountId;
  readonly position: MicroCredits;
  readonly window: string;
  readonly lots: readonly Stretch[];
  readonly marks: ReturnType<typeof monthMarks>;
  readonly raised: readonly number[];
}

// The month's own lot, and differences to larger plans.
const READ = `
  SELECT account.account_id AS "accountId", account.position, month."window", month_percents AS percents,
         ARRAY(SELECT level FROM alert
               WHERE alert.account_id = account.account_id AND kind = 'month_credits' AND subject = ''
                 AND alert.window_name = month."window") AS raised,
         lot.start_position AS start, lot.end_position AS "end"
  FROM account
  JOIN alert_setting ON alert_setting.account_id = account.account_id
  LEFT JOIN schedule ON schedule.account_id = account.account_id AND plan_id IS NOT NULL
  CROSS JOIN LATERAL (SELECT concat('plan:', subscriptions, ':', period) COLLATE "C" AS "window") AS month
  LEFT JOIN lot
    ON lot.account_id = account.account_id
   AND schedule.account_id IS NOT NULL
   AND (lot.lot_id = month."window"
        OR (lot.lot_id > month."window" || ':' AND lot.lot_id < month."window" || ';'))
  WHERE account.account_id = ANY ($1::text[])
  ORDER BY account.account_id, lot.start_position`;

async function readMonths(
  transaction: Transaction,
  accountIds: readonly AccountId[],
): Promise<Month[]> {
  type Row = Pick<Month, "accountId" | "position" | "window" | "raised"> & {
    readonly percents: readonly number[];
    readonly start: MicroCredits | null;
    readonly end: MicroCredits | null;
  };
  const rows = await queryRows<Row>(
    transaction,
    READ,
    [textArray(accountIds)],
    "read-alert-months",
  );
  return [...Map.groupBy(rows, ({ accountId }) => accountId).values()].flatMap((ofAccount) => {
    const [first] = ofAccount;
    if (first === undefined) return [];
    const { percents, start: _, end: __, ...month } = first;
    const lots = ofAccount.flatMap(({ start, end }) =>
      start === null || end === null ? [] : [{ start, end }],
    );
    return [{ ...month, lots, marks: monthMarks(lots, percents) }];
  });
}

interface Crossed {
  readonly accountId: AccountId;
  readonly percent: number;
  readonly isExpiry: boolean;
  readonly cause: string;
  readonly at: Instant | null;
  readonly end: MicroCredits | null;
}

async function crossed(
  transaction: Transaction,
  reached: readonly (LineMark & { readonly percent: number })[],
): Promise<Crossed[]> {
  const crossings = await findCrossings(transaction, reached);
  return reached.map(({ accountId, percent }, index) => {
    const { isExpiry = false, cause = "settings", at = null, end = null } = crossings[index] ?? {};
    return { accountId, percent, isExpiry, cause, at, end };
  });
}

function alertOf(
  { accountId, window, lots, position }: Month,
  percent: number,
  { cause, at, end }: Pick<Crossed, "cause" | "at" | "end">,
  now: Instant,
): Alert {
  return {
    ...{ accountId, kind: "month_credits", subject: "", window, level: percent },
    ...{ used: usedOf(lots, end ?? position), limit: sizeOf(lots), currency: null, cause },
    reason: `${percent} % of the month's credits are used.`,
    occurredAt: at ?? now,
  };
}

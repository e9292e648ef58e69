import type { Alert } from "../../core/alerts/alert.ts";
import { isRunwayLow } from "../../core/alerts/runway-alert.ts";
import type { AccountId, Instant } from "../../core/line/account.ts";
import { formatInstant } from "../../core/text/instant-text.ts";
import { raiseAlerts } from "../alerts/raise-alerts.ts";
import { readAccountDetails } from "../books/account-details.ts";
import { lockAccounts } from "../books/read-accounts.ts";
import { type Database, inTransaction, queryRow, queryRows } from "../postgres/database.ts";
import { readSnapshot } from "../postgres/read-snapshot.ts";
import { estimateRunway } from "../usage/estimate-runway.ts";
import { UsageRefused } from "../usage/usage-refused.ts";

/** An estimate of days need not be newer. */
const LOOK_EVERY_MS = 60 * 60 * 1000;

const DUE = `
  SELECT account_id AS "accountId"
  FROM alert_setting
  WHERE look_at <= to_timestamp($1 / 1000.0)
  ORDER BY look_at, account_id
  LIMIT $2`;

/** Accounts whose runway is to be looked at, the longest due first. */
export async function runwaysToLookAt(
  database: Database,
  now: Instant,
  limit: number,
): Promise<AccountId[]> {
  const rows = await queryRows<{ accountId: AccountId }>(database, DUE, [now, limit]);
  return rows.map(({ accountId }) => accountId);
}

/**
 * Estimates how long an account's credits last, and raises an alert where that has become fewer days than it
 * asked for. The usage is summed before the account is locked, so metering waits for nothing long. Any number of
 * these may run at the same time.
 */
export async function noticeRunway(
  database: Database,
  accountId: AccountId,
  now: Instant,
): Promise<void> {
  const lastsUntil = await estimate(database, accountId, now);
  await inTransaction(database, async (transaction) => {
    await lockAccounts(transaction, [accountId]);
    const setting = await queryRow<Setting>(transaction, READ, [accountId, now]);
    if (setting === null) return;
    const { days, wasLow, runways } = setting;
    const isLow =
      lastsUntil === undefined ? wasLow : isRunwayLow({ days, wasLow }, lastsUntil, now);
    const window = String(runways + 1n);
    const isNew = isLow && !wasLow;
    const values = [accountId, now + LOOK_EVERY_MS, isLow, isNew ? 1 : 0];
    await transaction.query(LOOKED, values);
    if (isNew)
      await raiseAlerts(transaction, [alertOf(accountId, days, window, lastsUntil, now)], now);
  });
}

/** Null: for years; undefined: it cannot be told now. */
async function estimate(
  database: Database,
  accountId: AccountId,
  now: Instant,
): Promise<Instant | null | undefined> {
  try {
    return await readSnapshot(database, async (transaction) => {
      const details = await readAccountDetails(transaction, accountId);
      return details && (await estimateRunway(transaction, details, now)).lastsUntil;
    });
  } catch (error) {
    if (error instanceof UsageRefused) return undefined;
    throw error;
  }
}

interface Setting {
  readonly days: number;
  readonly wasLow: boolean;
  readonly runways: bigint;
}

const READ = `
  SELECT runway_days AS days, runway_low AS "wasLow", runways
  FROM alert_setting
  WHERE account_id = $1 AND look_at <= to_timestamp($2 / 1000.0)`;

const LOOKED = `
  UPDATE alert_setting
  SET look_at = to_timestamp($2 / 1000.0), runway_low = $3, runways = runways + $4
  WHERE account_id = $1`;

function alertOf(
  accountId: AccountId,
  days: number,
  window: string,
  lastsUntil: Instant | null | undefined,
  now: Instant,
): Alert {
  const until = lastsUntil == null ? "" : ` until ${formatInstant(lastsUntil)}`;
  return {
    ...{ accountId, kind: "runway", subject: "", window, level: days },
    ...{ used: null, limit: null, currency: null, cause: "time", occurredAt: now },
    reason: `At the pace of the last 7 days the credits last${until}, fewer than ${days} days.`,
  };
}

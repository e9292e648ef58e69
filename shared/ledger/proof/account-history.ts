import type { SettingChange } from "../../core/history/account-settings.ts";
import type { LineHistory } from "../../core/history/line-at.ts";
import type { AccountId, Instant } from "../../core/line/account.ts";
import type { GrantedLot } from "../../core/month/grant-credits.ts";
import type { SubscriptionChange } from "../../core/month/subscription.ts";
import type { ChargeCurrency } from "../../core/payments/charge-limits.ts";
import { readAccountDetails } from "../books/account-details.ts";
import { listLots } from "../books/granted-lots.ts";
import { listEntries } from "../books/list-entries.ts";
import { listChanges } from "../books/schedules.ts";
import { listSettingChanges } from "../books/setting-changes.ts";
import { queryRow, type Transaction } from "../postgres/database.ts";
import {
  firstDrawnSince,
  LAST_DRAWN_FIRST,
  MOST_AHEAD,
  OF_ACCOUNT,
} from "../usage/walk-records.ts";

/** The history from which an account is rebuilt at an instant. */
export interface AccountHistory extends ChargeCurrency {
  readonly accountId: AccountId;
  readonly createdAt: Instant;
  readonly line: LineHistory;
  /** Events that occurred before the instant and were metered later. */
  readonly lateEvents: number;
  /** All lots of today, for the terms of their grants. */
  readonly lots: readonly GrantedLot[];
  readonly changes: readonly SubscriptionChange[];
  readonly settings: readonly SettingChange[];
}

/**
 * Reads the history of an account at an instant, or null when there is no such account: all of its
 * entries, and the usage drawn around the instant and after it. All usage since the instant is kept, or what
 * this returns is wrong (`usagePastUntil`).
 */
export async function readAccountHistory(
  transaction: Transaction,
  accountId: AccountId,
  at: Instant,
): Promise<AccountHistory | null> {
  const details = await readAccountDetails(transaction, accountId);
  if (details === null) return null;
  const { account: _, ...charged } = details;
  const place = await readPlace(transaction, accountId, at);
  const { lateEvents, ...usage } = await readOffTime(transaction, accountId, at, place.version);
  const entries = await listEntries(transaction, accountId, { before: null, limit: null });
  const settings = await listSettingChanges(transaction, accountId, { before: null, limit: null });
  return {
    ...{ accountId, ...charged, lateEvents },
    line: { at, entries, ...place, ...usage },
    lots: await listLots(transaction, accountId),
    changes: await listChanges(transaction, accountId),
    settings: settings.reverse(),
  };
}

/** The last of the account's records that fulfils a condition: position only moves forward. */
const lastRecord = (columns: string, condition: string) => `
  SELECT ${columns} ${OF_ACCOUNT} AND ${condition} ORDER BY ${LAST_DRAWN_FIRST} LIMIT 1`;

/**
 * The version of the last movement by the clock, and the position after it. Movements are ordered by
 * version, so that clocks that differ never give a state that the books did not have.
 */
const PLACE = `
  WITH past AS (
    SELECT coalesce(max(version), 0) AS version, coalesce(max(end_position), 0) AS position
    FROM usage_past_stretch
    WHERE account_id = $1
  ), place AS (
    SELECT greatest(
      coalesce((SELECT max(version) FROM entry
                WHERE account_id = $1 AND posted_at <= to_timestamp($2 / 1000.0)), 0),
      coalesce((${lastRecord("record.version", "record.metered_at <= to_timestamp($2 / 1000.0)")}), 0),
      past.version
    ) AS version
    FROM past
  )
  SELECT place.version,
         greatest(
           coalesce((SELECT max(position) FROM entry
                     WHERE account_id = $1 AND entry.version <= place.version), 0),
           coalesce((${lastRecord(
             "record.start_position + record.credits - coalesce(record.given_back, 0)",
             "record.page_version <= place.version AND record.version <= place.version",
           )}), 0),
           past.position) AS position
  FROM place, past`;

type LinePlace = Pick<LineHistory, "version" | "position">;

async function readPlace(
  transaction: Transaction,
  accountId: AccountId,
  at: Instant,
): Promise<LinePlace> {
  const place = await queryRow<LinePlace>(transaction, PLACE, [accountId, at]);
  return place ?? { version: 0n, position: 0n };
}

/**
 * The account's records that were drawn where an event of another side of the instant can be.
 */
const OFF_TIME = `
  SELECT coalesce(sum(credits) FILTER (WHERE is_late), 0)::bigint AS "meteredLater",
         count(DISTINCT (kafka_partition, kafka_offset)) FILTER (WHERE is_late)::integer AS "lateEvents",
         coalesce(sum(credits) FILTER (WHERE NOT is_late), 0)::bigint AS "meteredAhead"
  FROM (
    SELECT record.credits, record.kafka_partition, record.kafka_offset, record.version > $3 AS is_late
    ${OF_ACCOUNT}
      AND record.page_start >= ${firstDrawnSince(`to_timestamp($2::bigint / 1000.0) - ${MOST_AHEAD}`)}
      AND (record.version > $3) = (record.occurred_at <= to_timestamp($2::bigint / 1000.0))
  ) AS off_time`;

type OffTime = Pick<LineHistory, "meteredLater" | "meteredAhead"> &
  Pick<AccountHistory, "lateEvents">;

async function readOffTime(
  transaction: Transaction,
  accountId: AccountId,
  at: Instant,
  version: bigint,
): Promise<OffTime> {
  const offTime = await queryRow<OffTime>(transaction, OFF_TIME, [accountId, at, version]);
  return offTime ?? { meteredLater: 0n, lateEvents: 0, meteredAhead: 0n };
}

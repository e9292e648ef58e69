import type { SettingChange } from "../../core/history/account-settings.ts";
import type { LineHistory } from "../../core/history/line-at.ts";
import type { AccountId, Instant } from "../../core/line/account.ts";
import type { GrantedLot } from "../../core/month/grant-credits.ts";
import type { SubscriptionChange } from "../../core/month/subscription.ts";
import { readAccountDetails } from "../books/account-details.ts";
import { listLots } from "../books/granted-lots.ts";
import { listEntries } from "../books/list-entries.ts";
import { listChanges } from "../books/schedules.ts";
import { listSettingChanges } from "../books/setting-changes.ts";
import type { Transaction } from "../postgres/database.ts";
import { MOST_AHEAD_MS, MOST_BEHIND_MS } from "../usage/list.ts";

/** All that the books tell of an account at an instant. */
export interface AccountHistory {
  readonly accountId: AccountId;
  /** ISO 4217. */
  readonly currency: string;
  readonly createdAt: Instant;
  readonly line: LineHistory;
  /** Events whose usage was metered by a later movement than the last one then, though it occurred before. */
  readonly lateEvents: number;
  /** All lots there are today, for what they were granted with. */
  readonly lots: readonly GrantedLot[];
  readonly changes: readonly SubscriptionChange[];
  readonly settings: readonly SettingChange[];
}

/**
 * Reads what an account's line is rebuilt from at an instant, or null when there is no such account.
 * The whole of its entries is read, and the usage that was drawn after the instant and around it.
 */
export async function readAccountHistory(
  transaction: Transaction,
  accountId: AccountId,
  at: Instant,
): Promise<AccountHistory | null> {
  const details = await readAccountDetails(transaction, accountId);
  if (details === null) return null;
  const { currency, createdAt } = details;
  const place = await readPlace(transaction, accountId, at);
  const { lateEvents, ...usage } = await readOffTime(transaction, accountId, at, place.version);
  const entries = await listEntries(transaction, accountId, { before: null, limit: null });
  return {
    ...{ accountId, currency, createdAt, lateEvents },
    line: { at, entries, ...place, ...usage },
    lots: await listLots(transaction, accountId),
    changes: await listChanges(transaction, accountId),
    settings: await listSettingChanges(transaction, accountId),
  };
}

/**
 * The last movement by the clock, and how far the account had drawn by all up to it: by their versions,
 * so that clocks that differ never tell of a state that the books were not in. Position only moves
 * forward, so the draw with the greatest place is the last one.
 */
const PLACE = `
  WITH place AS (
    SELECT greatest(
      coalesce((SELECT max(version) FROM entry
                WHERE account_id = $1 AND posted_at <= to_timestamp($2 / 1000.0)), 0),
      coalesce((SELECT version FROM draw
                WHERE account_id = $1 AND drawn_at <= to_timestamp($2 / 1000.0)
                ORDER BY start_position DESC, version DESC
                LIMIT 1), 0)) AS version
  )
  SELECT version,
         greatest(
           coalesce((SELECT max(position) FROM entry
                     WHERE account_id = $1 AND entry.version <= place.version), 0),
           coalesce((SELECT end_position FROM draw
                     WHERE account_id = $1 AND draw.version <= place.version
                     ORDER BY start_position DESC, version DESC
                     LIMIT 1), 0)) AS position
  FROM place`;

async function readPlace(
  transaction: Transaction,
  accountId: AccountId,
  at: Instant,
): Promise<Pick<LineHistory, "version" | "position">> {
  const { rows } = await transaction.query<Pick<LineHistory, "version" | "position">>(PLACE, [
    accountId,
    at,
  ]);
  return rows[0] ?? { version: 0n, position: 0n };
}

/**
 * The account's draws lead to its records: those drawn where an event of another side of the instant
 * can be.
 */
const OFF_TIME = `
  SELECT coalesce(sum(credits) FILTER (WHERE is_late), 0)::bigint AS "meteredLater",
         count(*) FILTER (WHERE is_late)::integer AS "lateEvents",
         coalesce(sum(credits) FILTER (WHERE NOT is_late), 0)::bigint AS "meteredAhead"
  FROM (
    SELECT record.credits, draw.version > $3 AS is_late
    FROM draw
    CROSS JOIN unnest(draw.event_ids) AS drawn (event_id)
    JOIN usage_record AS record
      ON record.event_id = drawn.event_id AND record.account_id = draw.account_id
    WHERE draw.account_id = $1
      AND draw.drawn_at >= to_timestamp(($2::bigint - ${MOST_AHEAD_MS}) / 1000.0)
      AND draw.drawn_at <= to_timestamp(($2::bigint + ${MOST_BEHIND_MS}) / 1000.0)
      AND (draw.version > $3) = (record.occurred_at <= to_timestamp($2::bigint / 1000.0))
  ) AS off_time`;

type OffTime = Pick<LineHistory, "meteredLater" | "meteredAhead"> &
  Pick<AccountHistory, "lateEvents">;

async function readOffTime(
  transaction: Transaction,
  accountId: AccountId,
  at: Instant,
  version: bigint,
): Promise<OffTime> {
  const { rows } = await transaction.query<OffTime>(OFF_TIME, [accountId, at, version]);
  return rows[0] ?? { meteredLater: 0n, lateEvents: 0, meteredAhead: 0n };
}

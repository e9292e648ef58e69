import type { AccountId, Instant } from "../../core/line/account.ts";
import type { SpentHour } from "../../core/usage/usage-steps.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";

/**
 * The range is widened until no row of spend crosses its ends. A row has the events of at most an hour from
 * `hour` on; after a change of zone, rows may overlap.
 */
const HOURS = `
  WITH RECURSIVE first (at) AS (
    SELECT to_timestamp($2::bigint / 1000.0)
    UNION ALL
    SELECT (
      SELECT min(hour)
      FROM spend
      WHERE account_id = $1 AND hour < at AND hour > at - interval '1 hour'
        AND ($4::text IS NULL OR meter = $4)
    )
    FROM first
    WHERE at IS NOT NULL
  ), last (at) AS (
    SELECT to_timestamp($3::bigint / 1000.0)
    UNION ALL
    SELECT (
      SELECT max(hour) + interval '1 hour'
      FROM spend
      WHERE account_id = $1 AND hour < at AND hour > at - interval '1 hour'
        AND ($4::text IS NULL OR meter = $4)
    )
    FROM last
    WHERE at IS NOT NULL
  )
  SELECT hour, sum(events)::bigint AS events
  FROM spend
  WHERE account_id = $1
    AND hour >= (SELECT min(at) FROM first)
    AND hour < (SELECT max(at) FROM last)
    AND ($4::text IS NULL OR meter = $4)
  GROUP BY hour
  ORDER BY hour`;

/**
 * The hours of spend that have usage of the range [from, to), of one meter or of all (null), in order: with
 * those that overlap them, so that together they have all events of a stretch of time.
 */
export async function readHours(
  transaction: Transaction,
  accountId: AccountId,
  { from, to, meter }: { from: Instant; to: Instant; meter: string | null },
): Promise<SpentHour[]> {
  return queryRows<SpentHour>(transaction, HOURS, [accountId, from, to, meter]);
}

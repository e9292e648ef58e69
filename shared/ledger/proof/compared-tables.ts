import type { PastPartition } from "../usage/past-usage.ts";

/** What two books are compared by in one table. */
export interface ComparedTable {
  readonly table: string;
  /** What to read in its place, under its name. */
  readonly from?: string;
  /** The columns to compare, and those that identify a row within its account. */
  readonly columns: string;
  readonly key: string;
  /** The account of a row; default: the column `account_id`. */
  readonly account?: string;
}

/** Hours of an account that has changed its time zone are not compared: events do not record their zone. */
const SPEND = `(
  SELECT account_id, CASE WHEN moved THEN NULL ELSE hour END AS hour, meter,
         sum(events) AS events, sum(quantity) AS quantity, sum(credits) AS credits
  FROM spend
  LEFT JOIN (
    SELECT DISTINCT account_id, true AS moved
    FROM subscription_change
    WHERE kind = 'time_zone_changed'
  ) AS moved USING (account_id)
  GROUP BY 1, 2, 3
) AS spend`;

/** What of it is noted, and what is in sums, depends on the batches. */
const BUDGET_SPENT = `(
  SELECT account_id, dimension, window_name, value, starts_at, ends_at, sum(spent) AS spent
  FROM budget_spent
  WHERE ends_at IS NULL OR ends_at > (SELECT since FROM budget_kept)
  GROUP BY 1, 2, 3, 4, 5, 6
) AS budget_spent`;

/**
 * The tables in which two books are compared. `past`: what the source does not keep any more; `hasErasures`: what is
 * personal of some account in it was erased. Versions of entries and draws are left out, since a replay has other
 * transactions; so is the instant at which an event was metered, and whether its hold took it, which a replay does
 * not find out.
 */
export function comparedTables(
  past: readonly PastPartition[],
  hasErasures: boolean,
): readonly ComparedTable[] {
  const records = comparedRecords(past, hasErasures);
  return [
    {
      table: "account",
      columns:
        "granted, position, entries, threshold, overdraft, crossings, waiting_crossing, low_balance, next_due_at, settle_at, expired_until, time_zone, currency, created_at",
      key: "account_id",
    },
    {
      table: "lot",
      columns:
        "lot_id, start_position, end_position, credits, source, reference, granted_at, expires_at, noticed_at",
      key: "lot_id",
    },
    {
      table: "entry",
      columns: "sequence, kind, credits, granted, position, lot_id, reference, due_at, posted_at",
      key: "sequence",
    },
    {
      table: "usage_record",
      from: records,
      columns:
        "event_id, meter, quantity, occurred_at, source, dimensions, credits, given_back, start_position, kafka_partition, kafka_offset, hold_id",
      key: "event_id, source, meter",
    },
    {
      table: "spend",
      from: SPEND,
      columns: "hour, meter, events, quantity, credits",
      key: "hour, meter",
    },
    {
      // A remainder of 0 is written only where an earlier transaction wrote another.
      table: "carried",
      from: "(SELECT * FROM carried WHERE remainder <> 0) AS carried",
      columns: "meter, valid_from, remainder",
      key: "meter, valid_from",
    },
    {
      table: "month_usage",
      columns: "meter, valid_from, month, quantity",
      key: "meter, valid_from, month",
    },
    {
      table: "budget_spent",
      from: BUDGET_SPENT,
      columns: "dimension, window_name, value, starts_at, ends_at, spent",
      key: "dimension, window_name, value, starts_at",
    },
    {
      table: "dead_letter",
      columns: "topic, kafka_partition, kafka_offset, reason",
      key: "topic, kafka_partition, kafka_offset",
      account: "coalesce(account_id, '')",
    },
  ];
}

/**
 * Of what the source does not keep any more, the target may have records; of an erased account, other pseudonyms, or
 * the values that the topic still has.
 */
function comparedRecords(past: readonly PastPartition[], hasErasures: boolean): string {
  const kept = keptRecords(past);
  if (!hasErasures) return kept;
  return `(
    SELECT account_id, event_id, meter, quantity, occurred_at, source,
           CASE WHEN names IS NULL THEN dimensions
                ELSE erased_dimensions(NULL, names, dimensions) END AS dimensions,
           credits, given_back, start_position, kafka_partition, kafka_offset, hold_id
    FROM ${kept}
    LEFT JOIN (${KEPT_DIMENSIONS}) AS erased USING (account_id)
  ) AS usage_record`;
}

// What one erasure of an account has kept, another may not have.
const KEPT_DIMENSIONS = `
  SELECT account_id, ARRAY(
    SELECT name
    FROM erasure, unnest(kept_dimensions) AS name
    WHERE erasure.account_id = each.account_id
    GROUP BY name
    HAVING count(*) = each.times
  ) AS names
  FROM (SELECT account_id, count(*) AS times FROM erasure GROUP BY account_id) AS each`;

function keptRecords(past: readonly PastPartition[]): string {
  if (past.length === 0) return "usage_record";
  const ends = past.map(({ partition, next }) => `WHEN ${partition} THEN ${next}`);
  return `(
    SELECT * FROM usage_record WHERE kafka_offset >= CASE kafka_partition ${ends.join(" ")} ELSE 0 END
  ) AS usage_record`;
}

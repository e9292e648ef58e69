import { MOST_VALUE_LENGTH } from "../../../core/budgets/budget-value.ts";
import type { Invariant } from "./invariant.ts";

/**
 * What is counted, from the records of accounts that have budgets. Clocks of zones differ by whole quarters of an
 * hour, and so do the ends of windows: what occurred in the same quarter is in the same windows.
 */
const COUNTED = `
  SELECT used.account_id, used.dimension, used.window_name, used.value, spend.starts_at, quarter, used.credits
  FROM (
    SELECT record.account_id, counted.dimension, counted.window_name,
           record.dimensions ->> counted.dimension AS value,
           date_bin('15 minutes', record.occurred_at, '1970-01-01Z') AS quarter,
           sum(record.credits::numeric) AS credits
    FROM budget_counted AS counted
    JOIN usage_record AS record
      ON record.account_id = counted.account_id AND record.occurred_at >= counted.counts_from
    WHERE length(record.dimensions ->> counted.dimension) BETWEEN 1 AND ${MOST_VALUE_LENGTH}
    GROUP BY 1, 2, 3, 4, 5
  ) AS used
  LEFT JOIN LATERAL (
    SELECT starts_at
    FROM budget_spent AS part
    WHERE part.account_id = used.account_id AND part.dimension = used.dimension
      AND part.window_name = used.window_name AND part.value = used.value
      AND quarter >= starts_at AND (ends_at IS NULL OR quarter < ends_at)
    LIMIT 1
  ) AS spend ON true`;

/** Invariants of budgets: what their values have spent. Windows that are not kept any more are left out. */
export const BUDGET_INVARIANTS: readonly Invariant[] = [
  {
    holds: "what a budget has spent is the usage that it counts",
    broken: "A budget refuses what it should allow, or allows what it should refuse.",
    accounts: `
      WITH counted AS MATERIALIZED (${COUNTED}), kept AS (
        SELECT since FROM budget_kept
      )
      SELECT account_id FROM counted, kept WHERE starts_at IS NULL AND quarter >= since
      UNION ALL
      SELECT account_id
      FROM (
        SELECT account_id, dimension, window_name, starts_at, value, ends_at, sum(spent) AS spent
        FROM budget_spent
        GROUP BY 1, 2, 3, 4, 5, 6
      ) AS spend
      CROSS JOIN kept
      LEFT JOIN (
        SELECT account_id, dimension, window_name, starts_at, value, sum(credits) AS credits
        FROM counted
        GROUP BY 1, 2, 3, 4, 5
      ) AS summed USING (account_id, dimension, window_name, starts_at, value)
      LEFT JOIN budget_unlisted AS unlisted USING (account_id, dimension, window_name, starts_at, value)
      WHERE (ends_at IS NULL OR ends_at > since)
        AND spent <> coalesce(summed.credits, 0) + coalesce(unlisted.credits, 0)`,
  },
  {
    holds: "what is counted for budgets is what has budgets",
    broken: "A budget is not counted, or usage pays for counting that nobody asked for.",
    accounts: `
      SELECT account_id
      FROM (SELECT DISTINCT account_id, dimension, window_name FROM budget) AS limited
      FULL JOIN budget_counted AS counted USING (account_id, dimension, window_name)
      WHERE limited.dimension IS NULL OR counted.dimension IS NULL`,
  },
];

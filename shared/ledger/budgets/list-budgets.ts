import type { BudgetState } from "../../core/budgets/budget.ts";
import { MOST_VALUE_LENGTH } from "../../core/budgets/budget-value.ts";
import { readCounted } from "../../core/budgets/counted.ts";
import { windowAt } from "../../core/budgets/window.ts";
import type { Account, Instant } from "../../core/line/account.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";

// What is spent and held of a budget fills it. What every value may spend is an entry of its own, and has spent
// nothing. Where nothing may be spent, a value is full.
const LIST = `
  WITH span AS (
    SELECT *
    FROM unnest($2::text[], $3::text[], $4::float8[], $5::float8[], $6::float8[])
      AS counted (dimension, window_name, start, ends, counts_from)
  ), held AS (
    SELECT dimension, hold.dimensions ->> dimension AS value,
           sum(greatest(coalesce(captured, credits) - used, 0))::bigint AS held
    FROM (SELECT DISTINCT dimension FROM span) AS named
    JOIN hold ON account_id = $1 AND ended_at IS NULL AND expires_at > to_timestamp($7::float8 / 1000)
    WHERE length(hold.dimensions ->> dimension) BETWEEN 1 AND ${MOST_VALUE_LENGTH}
    GROUP BY 1, 2
  ), used AS (
    SELECT dimension, window_name, value, coalesce(spent, 0) AS spent, coalesce(held, 0) AS held
    FROM (
      SELECT span.dimension, span.window_name, value, spent
      FROM span
      CROSS JOIN LATERAL (
        SELECT value, sum(part.spent)::bigint AS spent
        FROM budget_spent AS part
        WHERE account_id = $1 AND part.dimension = span.dimension AND part.window_name = span.window_name
          AND starts_at = to_timestamp(start / 1000)
        GROUP BY value
      ) AS spend
    ) AS spend
    FULL JOIN (SELECT span.dimension, window_name, value, held FROM span JOIN held USING (dimension)) AS open
      USING (dimension, window_name, value)
  ), own AS (
    SELECT budget.*, budget.value = '' AS "isDefault", coalesce(spent, 0) AS spent, coalesce(held, 0) AS held,
           start, ends, counts_from
    FROM span
    JOIN budget ON account_id = $1 AND budget.dimension = span.dimension AND budget.window_name = span.window_name
    LEFT JOIN used
      ON used.dimension = span.dimension AND used.window_name = span.window_name AND used.value = budget.value
  ), of_every AS (
    SELECT usual.account_id, usual.dimension, usual.window_name, used.value, usual.credits, usual.set_by,
           usual.set_at, true AS "isDefault", spent, held, start, ends, counts_from
    FROM span
    JOIN budget AS usual
      ON account_id = $1 AND usual.dimension = span.dimension AND usual.window_name = span.window_name
      AND usual.value = ''
    JOIN used ON used.dimension = span.dimension AND used.window_name = span.window_name
    WHERE NOT EXISTS (
      SELECT FROM budget
      WHERE account_id = $1 AND budget.dimension = span.dimension AND budget.window_name = span.window_name
        AND budget.value = used.value
    )
  )
  SELECT dimension, window_name AS window, value, credits, "isDefault", spent, held, set_by AS "setBy",
         set_at AS "setAt", start, ends AS end, greatest(start, counts_from) AS "countedSince"
  FROM (SELECT * FROM own UNION ALL SELECT * FROM of_every) AS budget
  ORDER BY CASE WHEN value = '' THEN 0 WHEN credits = 0 THEN 'infinity' ELSE (spent + held)::float8 / credits END DESC,
           dimension, window_name, value
  LIMIT $8`;

/** The first budgets of an account by how full they are at an instant: of each value that has one, or has spent. */
export async function listBudgets(
  transaction: Transaction,
  { accountId, timeZone, budgets }: Pick<Account, "accountId" | "timeZone" | "budgets">,
  now: Instant,
  count: number,
): Promise<BudgetState[]> {
  const spans = readCounted(budgets).map(({ dimension, window, from }) => {
    return { dimension, window, from, ...windowAt(window, now, timeZone) };
  });
  if (spans.length === 0) return [];
  const columns = columnsOf(spans, "dimension", "window", "start", "end", "from");
  return queryRows<BudgetState>(
    transaction,
    LIST,
    [accountId, ...columns, now, count],
    "list-budgets",
  );
}

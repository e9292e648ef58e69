import type { BudgetState } from "../../core/budgets/budget.ts";
import { readCounted } from "../../core/budgets/counted.ts";
import { windowAt } from "../../core/budgets/window.ts";
import type { Account, Instant } from "../../core/line/account.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";

// What every value may spend is an entry of its own, and has spent nothing. Where nothing may be spent, a value is full.
const LIST = `
  WITH span AS (
    SELECT *
    FROM unnest($2::text[], $3::text[], $4::float8[], $5::float8[], $6::float8[])
      AS counted (dimension, window_name, start, ends, counts_from)
  ), own AS (
    SELECT budget.*, budget.value = '' AS "isDefault", coalesce(spent, 0) AS spent, start, ends, counts_from
    FROM span
    JOIN budget ON account_id = $1 AND budget.dimension = span.dimension AND budget.window_name = span.window_name
    LEFT JOIN budget_spend AS spend
      ON spend.account_id = $1 AND spend.dimension = span.dimension AND spend.window_name = span.window_name
      AND starts_at = to_timestamp(start / 1000) AND spend.value = budget.value
  ), of_every AS (
    SELECT usual.account_id, usual.dimension, usual.window_name, spend.value, usual.credits, usual.set_by,
           usual.set_at, true AS "isDefault", spent, start, ends, counts_from
    FROM span
    JOIN budget AS usual
      ON account_id = $1 AND usual.dimension = span.dimension AND usual.window_name = span.window_name
      AND usual.value = ''
    JOIN budget_spend AS spend
      ON spend.account_id = $1 AND spend.dimension = span.dimension AND spend.window_name = span.window_name
      AND starts_at = to_timestamp(start / 1000)
    WHERE NOT EXISTS (
      SELECT FROM budget
      WHERE account_id = $1 AND budget.dimension = span.dimension AND budget.window_name = span.window_name
        AND budget.value = spend.value
    )
  )
  SELECT dimension, window_name AS window, value, credits, "isDefault", spent, set_by AS "setBy",
         set_at AS "setAt", start, ends AS end, greatest(start, counts_from) AS "countedSince"
  FROM (SELECT * FROM own UNION ALL SELECT * FROM of_every) AS budget
  ORDER BY CASE WHEN value = '' THEN 0 WHEN credits = 0 THEN 'infinity' ELSE spent::float8 / credits END DESC,
           dimension, window_name, value
  LIMIT $7`;

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
  return queryRows<BudgetState>(transaction, LIST, [accountId, ...columns, count], "list-budgets");
}

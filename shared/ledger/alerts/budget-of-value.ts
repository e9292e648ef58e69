/**
 * The budget of a value, as a subquery `budget` beside a row `of` that names it: its own one, which sorts behind
 * that of every value, the empty one.
 */
export const budgetOfValue = (of: string) => `LATERAL (
    SELECT credits
    FROM budget
    WHERE budget.account_id = ${of}.account_id AND budget.dimension = ${of}.dimension
      AND budget.window_name = ${of}.window_name AND budget.value IN ('', ${of}.value)
    ORDER BY budget.value DESC
    LIMIT 1
  ) AS budget`;

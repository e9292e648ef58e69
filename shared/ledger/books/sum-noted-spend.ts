/** Adds rows of budget_added, which the CTE `taken` has deleted, to the sums. */
export const SUM_TAKEN = `
  INSERT INTO budget_spend AS spend (account_id, dimension, window_name, starts_at, value, ends_at, spent)
  SELECT account_id, dimension, window_name, starts_at, value, ends_at, sum(listed.credits)
  FROM taken
  CROSS JOIN LATERAL unnest(named, credits) AS listed (value, credits)
  GROUP BY account_id, dimension, window_name, starts_at, value, ends_at
  ON CONFLICT (account_id, dimension, window_name, starts_at, value) DO UPDATE
  SET spent = spend.spent + excluded.spent`;

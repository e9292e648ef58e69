import type { Invariant } from "./invariant.ts";

/** Invariants of holds: what is set aside. */
export const HOLD_INVARIANTS: readonly Invariant[] = [
  {
    holds: "held is the sum of what open holds set aside",
    broken: "Credits are promised twice, or set aside for nothing.",
    accounts: `
      SELECT coalesce(account.account_id, summed.account_id) AS account_id
      FROM (SELECT account_id, held FROM account) AS account
      FULL JOIN (
        SELECT account_id, sum(greatest(coalesce(captured, credits) - used, 0)) AS held
        FROM hold
        WHERE ended_at IS NULL
        GROUP BY account_id
      ) AS summed USING (account_id)
      WHERE account.held IS DISTINCT FROM coalesce(summed.held, 0)`,
  },
];

import { SETTINGS_JSON } from "../../books/setting-changes.ts";
import type { Invariant } from "./invariant.ts";

/** Invariants of due instants and of histories. */
export const DUE_INVARIANTS: readonly Invariant[] = [
  {
    holds: "what falls due is found: no turn and no expiry lies before the account's own instants",
    broken: "Something is due that will not be settled in time.",
    accounts: `
      SELECT account_id
      FROM account LEFT JOIN schedule USING (account_id)
      WHERE (next_period_at IS NOT NULL
             AND (settle_at > next_period_at OR settle_at IS NULL
                  OR next_due_at > next_period_at OR next_due_at IS NULL))
      UNION ALL
      SELECT account_id
      FROM account JOIN lot USING (account_id)
      WHERE end_position > greatest(start_position, position)
        AND (next_due_at > expires_at OR (expires_at IS NOT NULL AND next_due_at IS NULL)
             OR settle_at > expires_at + interval '15 minutes')`,
  },
  {
    holds: "changes of a subscription count up from 1",
    broken: "A change of a subscription is missing from its history.",
    accounts: `
      SELECT account_id
      FROM schedule LEFT JOIN subscription_change USING (account_id)
      GROUP BY account_id
      HAVING count(sequence) <> schedule.changes
          OR coalesce(max(sequence), 0) <> schedule.changes`,
  },
  {
    holds: "changes of settings count up from 1, and the last one has the current settings",
    broken: "A setting was changed without a record of who changed it and when.",
    accounts: `
      SELECT account_id
      FROM account LEFT JOIN auto_top_up USING (account_id)
      JOIN (SELECT account_id, count(*) AS changes, max(sequence) AS last,
                   (array_agg(detail ORDER BY sequence DESC))[1] AS said
            FROM setting_change GROUP BY account_id) AS history USING (account_id)
      WHERE changes <> last OR said <> ${SETTINGS_JSON}`,
  },
  {
    holds: "the account row knows what falls due",
    broken: "The account will be settled too late: credits may be granted late.",
    accounts: `
      SELECT account_id
      FROM account
      LEFT JOIN schedule USING (account_id)
      LEFT JOIN LATERAL (
        SELECT min(expires_at) AS at
        FROM lot
        WHERE lot.account_id = account.account_id
          AND end_position > greatest(start_position, account.position)
      ) AS lot_end ON true
      LEFT JOIN LATERAL (
        SELECT to_timestamp(min((charge->>'dueAt')::bigint) / 1000.0) AS at
        FROM jsonb_array_elements(due_charges) AS charge
      ) AS charge ON true
      WHERE coalesce(next_due_at, 'infinity') > least(next_period_at, lot_end.at, charge.at)
         OR coalesce(settle_at, 'infinity')
            > least(next_period_at, lot_end.at + interval '15 min', charge.at + interval '15 min')`,
  },
];

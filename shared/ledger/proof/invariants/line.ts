import { DRAWN } from "../../usage/drawn-stretches.ts";
import type { Invariant } from "./invariant.ts";

/** Invariants of an account's line: its lots, draws and entries. */
export const LINE_INVARIANTS: readonly Invariant[] = [
  {
    holds: "the lots tile the line from 0 to granted",
    broken: "A lot is missing, doubled or out of place: balances cannot be explained.",
    accounts: `
      SELECT account_id FROM (
        SELECT account_id, granted, end_position, start_position,
               lag(end_position, 1, 0) OVER line AS before,
               lead(start_position) OVER line AS next
        FROM account LEFT JOIN (SELECT * FROM lot WHERE start_position < end_position) AS standing
          USING (account_id)
        WINDOW line AS (PARTITION BY account_id ORDER BY start_position, end_position)
      ) AS tiled
      WHERE coalesce(start_position, 0) <> before
         OR (next IS NULL AND coalesce(end_position, 0) <> granted)`,
  },
  {
    holds: "what remains of the lots is the balance, or nothing in debt",
    broken: "The dashboard shows another remainder than the lots have.",
    accounts: `
      SELECT account_id
      FROM account LEFT JOIN lot USING (account_id)
      GROUP BY account_id
      HAVING coalesce(sum(greatest(0, end_position - greatest(start_position, position))), 0)
             <> greatest(0, granted - position)`,
  },
  {
    holds: "usage, expiries, charges, reversals and deductions tile the line from 0 to position",
    broken: "Credits were drawn without a record or entry, or the other way round.",
    accounts: `
      SELECT account_id FROM (
        SELECT account_id, position, drawn_from, drawn_to,
               lag(drawn_to, 1, 0::numeric) OVER line AS before,
               lead(drawn_from) OVER line AS next
        FROM account LEFT JOIN (${DRAWN}) AS drawn USING (account_id)
        WINDOW line AS (PARTITION BY account_id ORDER BY drawn_from, drawn_to)
      ) AS tiled
      LEFT JOIN (SELECT account_id, sum(line_by) AS line_by FROM repair
                 WHERE line_by <> 0 GROUP BY account_id) AS answered USING (account_id)
      GROUP BY account_id, position, line_by
      HAVING CASE
        WHEN line_by IS NULL THEN bool_or(
          coalesce(drawn_from, 0) <> before OR (next IS NULL AND coalesce(drawn_to, 0) <> position))
        ELSE position - sum(drawn_to - drawn_from) <> line_by
      END`,
  },
  {
    holds: "entries count up from 1",
    broken: "An entry is missing, or was added outside Drawdown.",
    accounts: `
      SELECT account_id
      FROM account LEFT JOIN entry USING (account_id)
      GROUP BY account_id
      HAVING count(sequence) <> account.entries
          OR coalesce(max(sequence), 0) <> account.entries`,
  },
  {
    holds: "each entry carries the line on from the one before it, the last one to granted",
    broken: "An entry does not follow from the one before it: history was changed.",
    accounts: `
      SELECT account_id FROM (
        SELECT account_id, kind, lot_id, credits, entry.granted, entry.position, entry.version,
               entry.granted - lag(entry.granted, 1, 0::bigint) OVER line AS added,
               entry.position - lag(entry.position, 1, 0::bigint) OVER line AS drawn,
               lag(entry.version, 1, 0::bigint) OVER line AS before,
               lead(sequence) OVER line IS NULL AND entry.granted <> account.granted AS is_short,
               account.version AS newest
        FROM entry JOIN account USING (account_id)
        WINDOW line AS (PARTITION BY account_id ORDER BY sequence)
      ) AS carried
      WHERE drawn < 0
         OR version < before
         OR version > newest
         OR ((kind = 'grant' OR (kind = 'adjustment' AND lot_id IS NOT NULL)) AND added <> credits)
         OR ((kind IN ('add_on_charge', 'reversal') OR (kind = 'adjustment' AND lot_id IS NULL))
             AND (added <> 0 OR drawn < -credits))
         OR (kind = 'expiry' AND added <> credits AND (added <> 0 OR drawn < -credits))
         OR is_short`,
  },
  {
    holds: "each lot was granted by one entry, of its credits",
    broken: "A lot was never granted, or a grant has no lot.",
    accounts: `
      SELECT coalesce(lot.account_id, entry.account_id) AS account_id
      FROM lot FULL JOIN (SELECT * FROM entry WHERE kind = 'grant') AS entry USING (account_id, lot_id)
      GROUP BY coalesce(lot.account_id, entry.account_id), coalesce(lot.lot_id, entry.lot_id)
      HAVING count(lot.lot_id) <> 1 OR count(entry.lot_id) <> 1 OR min(lot.credits) <> min(entry.credits)`,
  },
];

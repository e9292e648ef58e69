import type { AccountId } from "../../core/line/account.ts";
import type { Stretch } from "../../core/line/credit-line.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";

/** The stretches that entries drew. A lot that was withdrawn or used up has no stretch, and its expiry drew nothing. */
const ENTRIES = `
  SELECT account_id, entry.position + entry.credits AS drawn_from, entry.position AS drawn_to
  FROM entry LEFT JOIN lot USING (account_id, lot_id)
  WHERE (kind IN ('add_on_charge', 'reversal') AND entry.credits < 0)
     OR (kind = 'adjustment' AND lot_id IS NULL)
     OR (kind = 'expiry' AND start_position < end_position)`;

/**
 * All that was drawn of lines, by usage, kept or past retention, and by entries. Numeric: a damaged record
 * may be out of range.
 */
export const DRAWN = `
  SELECT account_id, start_position::numeric AS drawn_from,
         start_position::numeric + credits - coalesce(given_back, 0) AS drawn_to
  FROM usage_record
  UNION ALL
  SELECT account_id, start_position, end_position FROM usage_past_stretch
  UNION ALL ${ENTRIES}`;

const DRAWN_BY_ENTRIES = `
  SELECT drawn_from AS start, drawn_to AS "end"
  FROM (${ENTRIES}) AS drawn
  WHERE account_id = $1 AND drawn_to > $2 AND drawn_from < $3
  ORDER BY drawn_to`;

/** The stretches that entries drew within a stretch of an account's line, oldest first. */
export async function drawnByEntries(
  transaction: Transaction,
  accountId: AccountId | string,
  { start, end }: Stretch,
): Promise<Stretch[]> {
  return queryRows<Stretch>(transaction, DRAWN_BY_ENTRIES, [accountId, start, end]);
}

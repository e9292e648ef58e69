import type { Database } from "../../shared/ledger/postgres/database.ts";

const OCCURRED = `
  SELECT 'entry: ' || kind, count(*)::integer FROM entry GROUP BY kind
  UNION ALL
  SELECT 'change: ' || kind, count(*)::integer FROM subscription_change GROUP BY kind
  UNION ALL
  SELECT 'low balance by an ' || split_part(record::json->>'cause', ':', 1), count(*)::integer
  FROM outbox WHERE topic = 'billing.low-balance' GROUP BY 1
  UNION ALL
  SELECT 'a lot ended before older ones were used', count(*)::integer
  FROM entry JOIN lot USING (account_id, lot_id)
  WHERE kind = 'expiry' AND start_position = end_position
  UNION ALL
  SELECT 'a lot was taken back in part', count(*)::integer
  FROM entry JOIN lot USING (account_id, lot_id)
  WHERE kind = 'adjustment' AND start_position < end_position
  UNION ALL
  SELECT 'a lot was taken back wholly', count(*)::integer
  FROM entry JOIN lot USING (account_id, lot_id)
  WHERE kind = 'adjustment' AND start_position = end_position
  UNION ALL
  SELECT 'fee: of a ' || CASE WHEN payment_id ~ '^fee:\\d+:\\d+:' THEN 'dearer plan in a ' ELSE '' END
         || CASE WHEN periods = 1 THEN 'month' ELSE 'year' END,
         count(*)::integer
  FROM payment WHERE kind = 'fee' GROUP BY 1
  UNION ALL
  SELECT 'a month was given after it was over', count(*)::integer
  FROM (
    SELECT FROM lot
    WHERE lot_id ~ '^plan:\\d+:\\d+$'
    GROUP BY account_id, granted_at HAVING count(*) > 1
  ) AS late
  UNION ALL
  SELECT 'several months were posted at once', count(*)::integer
  FROM (
    SELECT FROM entry
    WHERE kind = 'grant' AND lot_id ~ '^plan:\\d+:\\d+$'
    GROUP BY account_id, version HAVING count(*) > 1
  ) AS late
  UNION ALL
  SELECT 'an account was in debt at the end', count(*)::integer FROM account WHERE position > granted`;

/** Counts of what occurred in the books, by name. */
export async function whatOccurred(database: Database): Promise<Map<string, number>> {
  const { rows } = await database.query<[string, number]>({ text: OCCURRED, rowMode: "array" });
  return new Map(rows);
}

import type { Database } from "../../shared/ledger/database.ts";

/** What must hold in any books at any time. Each query finds the accounts where it does not. */
const INVARIANTS = {
  "the lots tile the line from 0 to granted": `
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
  "what remains of the lots is the balance, or nothing in debt": `
    SELECT account_id
    FROM account LEFT JOIN lot USING (account_id)
    GROUP BY account_id
    HAVING coalesce(sum(greatest(0, end_position - greatest(start_position, position))), 0)
           <> greatest(0, granted - position)`,
  "usage, add-on charges and expiries tile the line from 0 to position": `
    SELECT account_id FROM (
      SELECT account_id, position, start_at, end_at,
             lag(end_at, 1, 0::numeric) OVER line AS before,
             lead(start_at) OVER line AS next
      FROM account LEFT JOIN (
        SELECT account_id, start_position::numeric AS start_at,
               start_position::numeric + credits AS end_at
        FROM usage_record
        UNION ALL
        SELECT account_id, entry.position + entry.credits, entry.position
        FROM entry LEFT JOIN lot USING (account_id, lot_id)
        WHERE kind = 'add_on_charge' OR (kind = 'expiry' AND start_position < end_position)
      ) AS drawn USING (account_id)
      WINDOW line AS (PARTITION BY account_id ORDER BY start_at, end_at)
    ) AS tiled
    WHERE coalesce(start_at, 0) <> before
       OR (next IS NULL AND coalesce(end_at, 0) <> position)`,
  "entries count up from 1": `
    SELECT account_id
    FROM account LEFT JOIN entry USING (account_id)
    GROUP BY account_id
    HAVING count(sequence) <> account.entries
        OR coalesce(max(sequence), 0) <> account.entries`,
  "changes of a subscription count up from 1": `
    SELECT account_id
    FROM schedule LEFT JOIN subscription_change USING (account_id)
    GROUP BY account_id
    HAVING count(sequence) <> schedule.changes
        OR coalesce(max(sequence), 0) <> schedule.changes`,
  "the account row knows what falls due": `
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
  "no message is metered twice": `
    SELECT min(account_id) AS account_id
    FROM usage_record
    GROUP BY kafka_partition, kafka_offset
    HAVING count(*) > 1`,
  "no message is both metered and a dead letter": `
    SELECT usage_record.account_id
    FROM usage_record JOIN dead_letter USING (kafka_partition, kafka_offset)`,
  "nothing is metered ahead of the books' place": `
    SELECT account_id
    FROM usage_record LEFT JOIN consumer_offset AS place
      ON place.kafka_partition = usage_record.kafka_partition AND consumer = 'metering'
    WHERE next_offset IS NULL OR kafka_offset >= next_offset`,
  "a balance at or below the threshold was said to be low": `
    SELECT account_id
    FROM account
    WHERE granted - position <= threshold AND NOT low_balance AND position > 0`,
} as const;

/**
 * The invariants that do not hold, each with accounts where it does not; none in good books.
 * `accounts` is a pattern of LIKE for those to look at.
 */
export async function brokenInvariants(database: Database, accounts = "%"): Promise<string[]> {
  const broken: string[] = [];
  for (const [name, query] of Object.entries(INVARIANTS)) {
    const { rows } = await database.query<{ account_id: string }>(
      `SELECT DISTINCT account_id FROM (${query}) AS broken WHERE account_id LIKE $1 LIMIT 5`,
      [accounts],
    );
    if (rows.length > 0) broken.push(`${name}: ${rows.map((row) => row.account_id).join(", ")}`);
  }
  return broken;
}

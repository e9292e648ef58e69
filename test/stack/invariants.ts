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
  "usage, expiries, charges, reversals and deductions tile the line from 0 to position": `
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
        FROM entry JOIN lot USING (account_id, lot_id)
        WHERE kind = 'expiry' AND start_position < end_position
        UNION ALL
        SELECT account_id, position + credits, position
        FROM entry
        WHERE kind IN ('add_on_charge', 'reversal') OR (kind = 'adjustment' AND lot_id IS NULL)
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
  "each entry carries the line on from the one before it, the last one to granted": `
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
  "each lot was granted by one entry, of its credits": `
    SELECT coalesce(lot.account_id, entry.account_id) AS account_id
    FROM lot FULL JOIN (SELECT * FROM entry WHERE kind = 'grant') AS entry USING (account_id, lot_id)
    GROUP BY coalesce(lot.account_id, entry.account_id), coalesce(lot.lot_id, entry.lot_id)
    HAVING count(lot.lot_id) <> 1 OR count(entry.lot_id) <> 1 OR min(lot.credits) <> min(entry.credits)`,
  "no expiry and no charge is posted twice": `
    SELECT account_id
    FROM entry
    WHERE kind IN ('expiry', 'add_on_charge')
    GROUP BY account_id, reference
    HAVING count(*) > 1`,
  "no unit of an add-on is charged twice in a period": `
    SELECT account_id FROM (
      SELECT account_id, units[4]::integer AS owed,
             lag(units[5]::integer, 1, 0) OVER (
               PARTITION BY account_id, units[1], units[2], units[3] ORDER BY units[4]::integer
             ) AS charged
      FROM entry,
           regexp_match(reference, '^add-on:(.*):(\\d+):(\\d+):(\\d+)-(\\d+)$') AS units
      WHERE kind = 'add_on_charge'
    ) AS ranges
    WHERE charged > owed`,
  "a subscription has one month's lot for each period begun": `
    SELECT account_id FROM (
      SELECT account_id, period[1]::integer AS number, count(*) AS lots,
             max(period[2]::integer) + 1 AS periods
      FROM lot, regexp_match(lot_id, '^plan:(\\d+):(\\d+)$') AS period
      WHERE source = 'plan'
      GROUP BY account_id, period[1]
    ) AS months
    FULL JOIN (SELECT account_id, subscriptions AS number, period FROM schedule
               WHERE plan_id IS NOT NULL) AS running USING (account_id, number)
    WHERE (lots IS NULL OR lots <> periods OR (period IS NOT NULL AND periods <> period + 1))
      AND NOT EXISTS (SELECT FROM subscription_change AS change
                      WHERE change.account_id = coalesce(months.account_id, running.account_id)
                        AND kind = 'suspended')`,
  "no two paid stretches of a subscription overlap": `
    SELECT account_id FROM (
      SELECT account_id, period, lag(period + periods, 1, 0) OVER stretches AS before
      FROM payment
      WHERE kind = 'fee' AND payment_id ~ '^fee:\\d+:\\d+$'
      WINDOW stretches AS (PARTITION BY account_id, subscription ORDER BY period)
    ) AS stretch
    WHERE period < before`,
  // Of a year in which the price has risen, the months before that were cheaper.
  "the paid stretch that runs has its fees, of a month the price exactly": `
    SELECT account_id
    FROM schedule
    LEFT JOIN LATERAL (
      SELECT coalesce(sum(amount), 0) AS charged
      FROM payment
      WHERE payment.account_id = schedule.account_id AND payment.kind = 'fee'
        AND subscription = subscriptions AND payment.period + periods = paid_until
    ) AS fees ON true
    WHERE plan_id IS NOT NULL
      AND (charged > paid_price
           OR (charged < paid_price AND interval = 'month')
           OR (charged = 0 AND paid_price >= 12))`,
  "no month is given that nobody was charged for": `
    SELECT lot.account_id
    FROM lot, regexp_match(lot_id, '^plan:(\\d+):(\\d+)$') AS month
    WHERE source = 'plan' AND month IS NOT NULL
      AND NOT EXISTS (
        SELECT FROM lot AS free JOIN plan_price ON plan_id = reference
        WHERE free.account_id = lot.account_id AND source = 'plan' AND monthly = 0)
      AND NOT EXISTS (
        SELECT FROM payment
        WHERE payment.account_id = lot.account_id AND kind = 'fee'
          AND subscription = month[1]::integer
          AND month[2]::integer >= period AND month[2]::integer < period + periods)`,
  "one top-up in flight": `
    SELECT account_id
    FROM payment
    WHERE kind = 'top_up' AND status = 'pending'
    GROUP BY account_id
    HAVING count(*) > 1`,
  "a succeeded top-up has its lot, of its credits, and each top-up's lot has its payment": `
    SELECT coalesce(paid.account_id, bought.account_id) AS account_id
    FROM (SELECT account_id, 'top-up:' || payment_id AS lot_id, credits FROM payment
          WHERE kind = 'top_up' AND status = 'succeeded') AS paid
    FULL JOIN (SELECT account_id, lot_id, credits FROM lot
               WHERE starts_with(lot_id, 'top-up:')) AS bought USING (account_id, lot_id)
    WHERE paid.credits IS DISTINCT FROM bought.credits`,
  "an automatic top-up has a crossing that was said; of its tries, which count up, one at most is not declined": `
    SELECT account_id
    FROM payment JOIN account USING (account_id),
         regexp_match(payment_id, '^low-balance:(\\d+)(:(\\d+))?$') AS cause
    WHERE kind = 'top_up' AND starts_with(payment_id, 'low-balance:')
    GROUP BY account_id, crossings, cause[1]
    HAVING cause[1] IS NULL
        OR cause[1]::bigint > crossings
        OR max(coalesce(cause[3]::integer, 1)) <> count(*)
        OR count(*) FILTER (WHERE status = 'failed') < count(*) - 1`,
  "what is pending or to be tried again will be looked at, and what is settled says when": `
    SELECT account_id
    FROM payment
    WHERE (status IN ('pending', 'retrying') AND next_try_at IS NULL)
       OR (status IN ('succeeded', 'failed') AND settled_at IS NULL)`,
  "refunds of a payment come to no more than it, and only what was paid goes back": `
    SELECT refund.account_id
    FROM refund LEFT JOIN payment USING (account_id, payment_id)
    WHERE refund.status = 'posted'
    GROUP BY refund.account_id, refund.payment_id
    HAVING bool_or(payment.status IS DISTINCT FROM 'succeeded')
        OR sum(refund.amount) > min(payment.amount)`,
  "refunds took of a lot what their entries say, and no more than it had": `
    SELECT account_id FROM (
      SELECT refund.account_id, refund.payment_id, payment.credits,
             refund.withdrawn, refund.owed,
             coalesce(-sum(entry.credits) FILTER (WHERE entry.kind = 'adjustment'), 0) AS cut,
             coalesce(-sum(entry.credits) FILTER (WHERE entry.kind = 'reversal'), 0) AS drawn
      FROM refund
      JOIN payment USING (account_id, payment_id)
      LEFT JOIN entry ON entry.account_id = refund.account_id
                     AND entry.lot_id = 'top-up:' || refund.payment_id
                     AND entry.reference = refund.kind || ':' || refund.refund_id
      GROUP BY refund.account_id, refund.payment_id, refund.refund_id, payment.credits
    ) AS taken
    GROUP BY account_id, payment_id, credits
    HAVING bool_or(withdrawn <> cut OR owed <> drawn)
        OR sum(withdrawn + owed) > coalesce(credits, 0)`,
  "what falls due is found: no turn and no expiry lies before the account's own instants": `
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
  const client = await database.connect();
  try {
    await client.query(WHOLE_TABLES);
    const broken: string[] = [];
    for (const [name, query] of Object.entries(INVARIANTS)) {
      const { rows } = await client.query<{ account_id: string }>(
        `SELECT DISTINCT account_id FROM (${query}) AS broken WHERE account_id LIKE $1 LIMIT 5`,
        [accounts],
      );
      if (rows.length > 0) broken.push(`${name}: ${rows.map((row) => row.account_id).join(", ")}`);
    }
    return broken;
  } finally {
    client.release(true);
  }
}

/** These queries join whole tables, which the services' connections are kept from. */
const WHOLE_TABLES = `
  ANALYZE;
  SET enable_hashjoin = on;
  SET enable_mergejoin = on;
  SET enable_seqscan = on`;

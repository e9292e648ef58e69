import pg from "pg";

/** When the month turns on all accounts of `fillMonth`. */
export const TURN = Date.parse("2030-02-01T00:00:00Z");

const CATALOGUE = [
  `INSERT INTO plan VALUES ('pro', '2020-01-01Z', 100000000, 'usual', NULL)`,
  `INSERT INTO plan_price VALUES ('pro', '2020-01-01Z', 'USD', 1900, 19000)`,
  `INSERT INTO add_on VALUES ('voice_cloning', '2020-01-01Z', 5000000)`,
];

// Two lots, of which the older one ends at the turn with most of it left.
const ACCOUNTS = `
  INSERT INTO account (account_id, granted, position, entries, next_due_at, settle_at, time_zone,
                       currency, created_at)
  SELECT 'account-' || lpad(i::text, 7, '0'), 200000000, 30000000, 2, $2, $2, 'UTC', 'USD',
         '2029-12-01Z'
  FROM generate_series(0, $1::integer - 1) AS i`;

const LOTS = `
  INSERT INTO lot (account_id, lot_id, start_position, end_position, credits, source, reference,
                   granted_at, expires_at, noticed_at)
  SELECT account_id, 'plan:1:' || period, period * 100000000, (period + 1) * 100000000, 100000000,
         'plan', 'pro', '2029-12-01Z'::timestamptz + period * interval '1 month',
         '2030-02-01Z'::timestamptz + period * interval '1 month', '2029-12-01Z'
  FROM account, generate_series(0, 1) AS period`;

const SCHEDULES = `
  INSERT INTO schedule (account_id, subscriptions, changes, plan_id, interval, renewal, anchor_date,
                        subscribed_at, period, next_period_at, period_credits, paid_until, cancelled,
                        add_ons, due_charges)
  SELECT account_id, 1, 1, 'pro', 'month', 'first_of_month', '2029-12-01', '2029-12-01Z', 1, $1,
         100000000, 2, false, '[{"addOnId":"voice_cloning","quantity":2,"nextQuantity":2}]', '[]'
  FROM account`;

/** Fills books with accounts on a plan with an add-on, whose month turns at `TURN`: one lot ends then. */
export async function fillMonth(url: string, accounts: number): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  try {
    const turn = new Date(TURN);
    for (const statement of CATALOGUE) await pool.query(statement);
    await pool.query(ACCOUNTS, [accounts, turn]);
    await pool.query(LOTS);
    await pool.query(SCHEDULES, [turn]);
    await pool.query("VACUUM ANALYZE");
    await pool.query("CHECKPOINT");
  } finally {
    await pool.end();
  }
}

const OUTBOX = (sequence: number, kind: string, credits: string, lot: string, balance: string) => `
  SELECT account_id, 'billing.credits', ${sequence}::bigint,
         '{"account_id":"' || account_id || '","sequence":"${sequence}","kind":"${kind}","credits":"${credits}","balance":"'
           || ${balance} || '","lot_id":${lot},"reference":"${kind}","posted_at":1896134460000,"due_at":1896134400000}'
  FROM account`;

const ENTRY = (sequence: number, kind: string, credits: string, lot: string, reference: string) => `
  SELECT account_id, ${sequence}, '${kind}', ${credits}, 300000000, 100000000, 2, ${lot}, '${reference}',
         '2030-02-01Z'::timestamptz, '2030-02-01Z'::timestamptz
  FROM account`;

/** The floor: what the turn writes, written by single statements over the whole tables. */
const FLOOR = [
  `INSERT INTO lot (account_id, lot_id, start_position, end_position, credits, source, reference,
                    granted_at, expires_at)
   SELECT account_id, 'plan:1:2', 200000000, 300000000, 100000000, 'plan', 'pro', '2030-02-01Z',
          '2030-04-01Z'
   FROM account`,
  `INSERT INTO entry (account_id, sequence, kind, credits, granted, position, version, lot_id,
                      reference, due_at, posted_at)
   ${ENTRY(3, "grant", "100000000", "'plan:1:2'", "pro")}
   UNION ALL ${ENTRY(4, "expiry", "-70000000", "'plan:1:0'", "expiry:plan:1:0")}
   UNION ALL ${ENTRY(5, "add_on_charge", "-10000000", "NULL", "add-on:voice_cloning:1:2:0-2")}`,
  `UPDATE schedule SET period = 2, next_period_at = '2030-03-01Z', paid_until = 3`,
  `INSERT INTO outbox (account_id, topic, sequence, record)
   ${OUTBOX(3, "grant", "100000000", '"plan:1:2"', "270000000")}
   UNION ALL ${OUTBOX(4, "expiry", "-70000000", '"plan:1:0"', "200000000")}
   UNION ALL ${OUTBOX(5, "add_on_charge", "-10000000", "null", "190000000")}`,
  `INSERT INTO balance_change (account_ids) SELECT array_agg(account_id) FROM account`,
  `UPDATE account
   SET granted = 300000000, position = 110000000, entries = 5, version = version + 1,
       next_due_at = '2030-03-01Z', settle_at = '2030-03-01Z'`,
];

/** Writes in one transaction what the turn would, as Postgres alone does it fastest. */
export async function turnBySql(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("BEGIN");
    for (const statement of FLOOR) await client.query(statement);
    await client.query("COMMIT");
  } finally {
    await client.end();
  }
}

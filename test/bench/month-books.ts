import pg from "pg";

/** The next turn of the accounts of `fillMonth`: the first instant of this month, UTC. */
export function turnOfMonth(now = new Date()): Date {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));
}

const CATALOGUE = [
  `INSERT INTO plan VALUES ('pro', '2020-01-01Z', 100000000, 'usual', NULL)`,
  `INSERT INTO plan_price VALUES ('pro', '2020-01-01Z', 'USD', 1900, 19000)`,
  `INSERT INTO add_on VALUES ('voice_cloning', '2020-01-01Z', 5000000)`,
];

// Two lots, of which the older one expires at the turn with most of it left.
const ACCOUNTS = `
  INSERT INTO account (account_id, granted, position, entries, next_due_at, settle_at, time_zone,
                       currency, created_at)
  SELECT 'account-' || lpad(i::text, 7, '0'), 200000000, 30000000, 2, $2, $2, 'UTC', 'USD',
         $2::timestamptz - interval '2 months'
  FROM generate_series(0, $1::integer - 1) AS i`;

const LOTS = `
  INSERT INTO lot (account_id, lot_id, start_position, end_position, credits, source, reference,
                   granted_at, expires_at, noticed_at)
  SELECT account_id, 'plan:1:' || period, period * 100000000, (period + 1) * 100000000, 100000000,
         'plan', 'pro', $1::timestamptz + (period - 2) * interval '1 month',
         $1::timestamptz + period * interval '1 month', $1
  FROM account, generate_series(0, 1) AS period`;

const SCHEDULES = `
  INSERT INTO schedule (account_id, subscriptions, changes, plan_id, interval, renewal, anchor_date,
                        subscribed_at, period, next_period_at, period_credits, paid_until, cancelled,
                        add_ons, due_charges, currency, paid_price)
  SELECT account_id, 1, 1, 'pro', 'month', 'first_of_month',
         ($1::timestamptz AT TIME ZONE 'UTC' - interval '2 months')::date,
         $1::timestamptz - interval '2 months', 1, $1, 100000000, 2, false,
         '[{"addOnId":"voice_cloning","quantity":2,"nextQuantity":2}]', '[]', 'USD', 1900
  FROM account`;

/** Fills books with accounts on a plan with an add-on, whose month turns at `turn`, when one lot expires. */
export async function fillMonth(url: string, accounts: number, turn: Date): Promise<void> {
  await onConnection(url, async (client) => {
    for (const statement of CATALOGUE) await client.query(statement);
    await client.query(ACCOUNTS, [accounts, turn]);
    await client.query(LOTS, [turn]);
    await client.query(SCHEDULES, [turn]);
    await client.query("VACUUM ANALYZE");
    await client.query("CHECKPOINT");
  });
}

interface Posting {
  readonly sequence: number;
  readonly kind: string;
  readonly credits: number;
  readonly balance: number;
  readonly lot: string | null;
  readonly reference: string;
}

/** What the turn posts on each account. */
const POSTINGS: readonly Posting[] = [
  { sequence: 3, kind: "grant", credits: 1e8, balance: 27e7, lot: "plan:1:2", reference: "pro" },
  {
    ...{ sequence: 4, kind: "expiry", credits: -7e7, balance: 2e8 },
    ...{ lot: "plan:1:0", reference: "expiry:plan:1:0" },
  },
  {
    ...{ sequence: 5, kind: "add_on_charge", credits: -1e7, balance: 19e7 },
    ...{ lot: null, reference: "add-on:voice_cloning:1:2:0-2" },
  },
];

const entryOf = ({ sequence, kind, credits, lot, reference }: Posting) => `
  SELECT account_id, ${sequence}, '${kind}', ${credits}, 300000000, 100000000, 2,
         ${lot === null ? "NULL" : `'${lot}'`}, '${reference}', $1::timestamptz, $1::timestamptz
  FROM account`;

const recordOf = ({ sequence, kind, credits, balance, lot, reference }: Posting) => `
  SELECT account_id, 'billing.credits', ${sequence}::bigint,
         '{"account_id":"' || account_id || '","sequence":"${sequence}","kind":"${kind}","credits":"${credits}",'
         || '"balance":"${balance}","lot_id":${lot === null ? "null" : `"${lot}"`},"reference":"${reference}",'
         || '"posted_at":1896134460000,"due_at":1896134400000}'
  FROM account`;

/** The floor: what the turn writes, by one statement a table over all accounts. */
const FLOOR = [
  `INSERT INTO lot (account_id, lot_id, start_position, end_position, credits, source, reference,
                    granted_at, expires_at)
   SELECT account_id, 'plan:1:2', 200000000, 300000000, 100000000, 'plan', 'pro', $1::timestamptz,
          $1::timestamptz + interval '2 months'
   FROM account`,
  `INSERT INTO entry (account_id, sequence, kind, credits, granted, position, version, lot_id,
                      reference, due_at, posted_at)
   ${POSTINGS.map(entryOf).join(" UNION ALL ")}`,
  `INSERT INTO payment (account_id, payment_id, kind, status, amount, currency, subscription, period,
                        periods, plan_id, attempt, calls, next_try_at, reason, created_at, attempted_at)
   SELECT account_id, 'fee:1:2', 'fee', 'pending', 1900, 'USD', 1, 2, 1, 'pro', 1, 0, $1::timestamptz, '',
          $1::timestamptz, $1::timestamptz
   FROM account`,
  `UPDATE schedule
   SET period = 2, next_period_at = $1::timestamptz + interval '1 month', paid_until = 3`,
  `INSERT INTO balance_change (account_ids) SELECT array_agg(account_id) FROM account WHERE $1 <> now()`,
  `UPDATE account
   SET granted = 300000000, position = 110000000, entries = 5, version = version + 1,
       next_due_at = $1::timestamptz + interval '1 month',
       settle_at = $1::timestamptz + interval '1 month'`,
];

const FLOOR_OUTBOX = `
  INSERT INTO outbox (account_id, topic, sequence, record)
  ${POSTINGS.map(recordOf).join(" UNION ALL ")}`;

/** Writes in one transaction what the turn writes, as fast as Postgres alone does it. */
export async function turnBySql(url: string, turn: Date): Promise<void> {
  await onConnection(url, async (client) => {
    await client.query("BEGIN");
    for (const statement of FLOOR) await client.query(statement, [turn]);
    await client.query(FLOOR_OUTBOX);
    await client.query("COMMIT");
  });
}

async function onConnection(
  url: string,
  work: (client: pg.Client) => Promise<void>,
): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

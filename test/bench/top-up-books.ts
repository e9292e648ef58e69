import pg from "pg";
import { accountName } from "./load.ts";

/** The minimum cost of an account's first event in `fillPayers`: it crosses the threshold. */
export const CROSSING = { meter: "llm.input_tokens", quantity: 200_000 } as const;

const PRICE = "INSERT INTO credit_price VALUES ('USD', '2020-01-01Z', 50000000, 'months', 12)";

const ACCOUNTS = `
  INSERT INTO account (account_id, granted, position, threshold, low_balance, crossings, next_due_at,
                       settle_at, time_zone, currency, created_at)
  SELECT 'account-' || lpad(i::text, 7, '0'), 1000000, CASE WHEN $2 THEN 600000 ELSE 0 END, 500000, $2,
         CASE WHEN $2 THEN 1 ELSE 0 END, now() + interval '30 days',
         now() + interval '30 days 15 minutes', 'UTC', 'USD', now()
  FROM generate_series(0, $1::integer - 1) AS i`;

const LOTS = `
  INSERT INTO lot (account_id, lot_id, start_position, end_position, credits, source, reference,
                   granted_at, expires_at)
  SELECT account_id, 'lot-0', 0, granted, granted, 'plan', '', now(), now() + interval '30 days'
  FROM account`;

const METHODS = `
  INSERT INTO payment_method (account_id, customer, method, set_by, set_at)
  SELECT account_id, 'cus_' || account_id, $1, 'bench', now()
  FROM account`;

const PAYMENTS = `
  INSERT INTO payment (account_id, payment_id, kind, status, amount, currency, credits, life,
                       life_months, attempt, calls, next_try_at, reason, created_at, attempted_at)
  SELECT account_id, 'low-balance:1', 'top_up', 'pending', 1000, 'USD', 500000000, 'months', 12, 1, 0,
         now(), '', now(), now()
  FROM account`;

const TOLD = `
  INSERT INTO auto_top_up (account_id, enabled, declines, told)
  SELECT account_id, true, 0, 1
  FROM account`;

/** How accounts pay: with an approved card, or one that the simulated gateway never answers. */
export interface Payers {
  readonly accounts: number;
  /** `pending`: all of them are low, and a top-up of each waits to be charged. */
  readonly state: "above their threshold" | "pending";
  readonly card?: "card_approve" | "card_timeout_after_charge";
}

/** Fills books with accounts that have a small lot, a threshold and a card. */
export async function fillPayers(url: string, payers: Payers): Promise<void> {
  const { accounts, state, card = "card_approve" } = payers;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(PRICE);
    await client.query(ACCOUNTS, [accounts, state === "pending"]);
    await client.query(LOTS);
    await client.query(METHODS, [card]);
    if (state === "pending") {
      await client.query(PAYMENTS);
      await client.query(TOLD);
    }
    await client.query("VACUUM ANALYZE");
    await client.query("CHECKPOINT");
  } finally {
    await client.end();
  }
}

const COUNT = `
  SELECT count(*)::integer
  FROM lot
  WHERE source = 'top_up' AND account_id >= $1 AND account_id < $2`;

/** The number of top-up lots of the accounts from `from` up to, but not including, `to`. */
export async function countTopUps(pool: pg.Pool, from: number, to: number): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(COUNT, [accountName(from), accountName(to)]);
  return rows[0]?.count ?? 0;
}

/** The time from the event that crossed its threshold to an account's lot, and its parts. */
export interface Lifted {
  readonly totalMs: number;
  /** Published to committed debit; that to the pending top-up; on to the gateway; its answer; to the lot. */
  readonly stepsMs: readonly number[];
}

const LIFTED = `
  WITH crossing AS (
    SELECT first_at AS occurred_at, pg_xact_commit_timestamp(usage_page.xmin) AS debited_at,
           payment.created_at, payment.attempted_at, payment.settled_at,
           pg_xact_commit_timestamp(lot.xmin) AS lifted_at
    FROM usage_page
    JOIN payment USING (account_id)
    JOIN lot USING (account_id)
    WHERE lot.source = 'top_up' AND account_id >= $1 AND account_id < $2
  )
  SELECT extract(epoch FROM lifted_at - occurred_at) * 1000,
         extract(epoch FROM debited_at - occurred_at) * 1000,
         extract(epoch FROM created_at - debited_at) * 1000,
         extract(epoch FROM attempted_at - created_at) * 1000,
         extract(epoch FROM settled_at - attempted_at) * 1000,
         extract(epoch FROM lifted_at - settled_at) * 1000
  FROM crossing`;

/** One of each account from `from` up to `to`; throws where one has not exactly one. */
export async function readLifted(pool: pg.Pool, from: number, to: number): Promise<Lifted[]> {
  const { rows } = await pool.query<string[]>({
    text: LIFTED,
    values: [accountName(from), accountName(to)],
    rowMode: "array",
  });
  if (rows.length !== to - from) {
    throw new Error(`${rows.length} top-ups of ${to - from} accounts that crossed their threshold`);
  }
  return rows.map((row) => {
    const [totalMs = Number.NaN, ...stepsMs] = row.map(Number);
    return { totalMs, stepsMs };
  });
}

import pg from "pg";
import type { Usage } from "../load/event.ts";

/** The books as plain SQL shows them. */
export interface Books {
  readonly usage: readonly MeteredUsage[];
  readonly deadLetters: readonly { place: string; reason: string; payload: Buffer }[];
  readonly accounts: readonly BookedAccount[];
  readonly lots: readonly BookedLot[];
  readonly entries: readonly BookedEntry[];
  readonly payments: readonly BookedPayment[];
  readonly alerts: readonly BookedAlert[];
  readonly holds: readonly BookedHold[];
  /** What accounts hold, and how often that has changed. */
  readonly held: readonly { account_id: string; held: bigint; hold_changes: bigint }[];
  readonly spends: readonly BookedSpend[];
  /** What is counted for budgets, of usage that occurred from `since` on, in milliseconds. */
  readonly counted: readonly Counted[];
  /** Rows of what is still to be published. */
  readonly unpublished: number;
}

export type MeteredUsage = Usage & {
  readonly place: string;
  readonly start_position: bigint;
  readonly credits: bigint;
};

export interface BookedAccount {
  readonly account_id: string;
  readonly granted: bigint;
  readonly position: bigint;
  readonly version: bigint;
  readonly crossings: bigint;
  readonly threshold: bigint;
}

export interface BookedLot {
  readonly account_id: string;
  readonly lot_id: string;
  readonly start_position: bigint;
  readonly end_position: bigint;
  /** Milliseconds. */
  readonly granted_at: bigint;
  readonly expires_at: bigint | null;
}

export interface BookedEntry {
  readonly account_id: string;
  readonly sequence: bigint;
  readonly kind: string;
  readonly credits: bigint;
  /** Of the line, after it. */
  readonly position: bigint;
  readonly lot_id: string | null;
  readonly reference: string;
  /** Milliseconds. */
  readonly due_at: bigint;
}

export interface BookedPayment {
  readonly account_id: string;
  readonly payment_id: string;
  readonly kind: string;
  readonly status: string;
  readonly amount: bigint;
}

export interface BookedAlert {
  readonly account_id: string;
  readonly kind: string;
  readonly subject: string;
  readonly window: string;
  readonly level: number;
}

export interface BookedHold {
  readonly account_id: string;
  readonly hold_id: string;
  readonly status: string;
  readonly credits: bigint;
  readonly used: bigint;
  readonly captured: bigint | null;
  readonly ended_at: Date | null;
}

interface Counted {
  readonly account_id: string;
  readonly dimension: string;
  readonly window: string;
  readonly since: bigint;
}

/** What a value has spent in a window of a budget. */
export interface BookedSpend {
  readonly account_id: string;
  readonly dimension: string;
  readonly value: string;
  readonly window: string;
  /** The first day of the window, in UTC. */
  readonly starts_on: string;
  readonly spent: bigint;
}

const BIGINT = 20;

/** One view of everything, in one snapshot. */
export async function readBooks(url: string): Promise<Books> {
  const client = new pg.Client({
    connectionString: url,
    types: { getTypeParser: (oid, format) => (oid === BIGINT ? BigInt : parserOf(oid, format)) },
  });
  await client.connect();
  const all = async <Row extends object>(sql: string) => (await client.query<Row>(sql)).rows;
  try {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const [unpublished] = await all<{ rows: number }>(
      `SELECT (SELECT count(*) FROM outbox)::integer + (SELECT count(*) FROM balance_change)::integer
              + (SELECT count(*) FROM dead_letter WHERE published_at IS NULL)::integer AS rows`,
    );
    return {
      usage: await all(
        `SELECT event_id, account_id, meter, quantity, source, start_position, credits,
                ${milliseconds("occurred_at")},
                coalesce(dimensions, '{}') AS dimensions,
                kafka_partition || ':' || kafka_offset AS place
         FROM usage_record`,
      ),
      deadLetters: await all(
        `SELECT kafka_partition || ':' || kafka_offset AS place, reason, payload
         FROM dead_letter WHERE topic = 'usage.events'`,
      ),
      accounts: await all(
        "SELECT account_id, granted, position, version, crossings, threshold FROM account",
      ),
      lots: await all(
        `SELECT account_id, lot_id, start_position, end_position,
                ${milliseconds("granted_at")}, ${milliseconds("expires_at")}
         FROM lot ORDER BY account_id, start_position, end_position`,
      ),
      entries: await all(
        `SELECT account_id, sequence, kind, credits, position, lot_id, reference, ${milliseconds("due_at")}
         FROM entry ORDER BY account_id, sequence`,
      ),
      payments: await all("SELECT account_id, payment_id, kind, status, amount FROM payment"),
      alerts: await all(
        'SELECT account_id, kind, subject, window_name AS "window", level FROM alert',
      ),
      holds: await all(
        "SELECT account_id, hold_id, status, credits, used, captured, ended_at FROM hold",
      ),
      held: await all("SELECT account_id, held, hold_changes FROM account"),
      spends: await all(
        `SELECT account_id, dimension, value, window_name AS "window", sum(spent)::bigint AS spent,
                to_char(starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS starts_on
         FROM budget_spent
         GROUP BY account_id, dimension, value, window_name, starts_at`,
      ),
      counted: await all(
        `SELECT account_id, dimension, window_name AS "window",
                round(extract(epoch FROM counts_from) * 1000)::bigint AS since
         FROM budget_counted`,
      ),
      unpublished: unpublished?.rows ?? 0,
    };
  } finally {
    await client.end();
  }
}

function milliseconds(column: string): string {
  return `round(extract(epoch FROM ${column}) * 1000)::bigint AS ${column}`;
}

function parserOf(oid: number, format: "text" | "binary" | undefined) {
  return pg.types.getTypeParser(oid, format === "binary" ? "binary" : "text");
}

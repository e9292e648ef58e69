import type { Database } from "../../shared/ledger/postgres/database.ts";

/** Milliseconds from an event to the commit of its debit. */
export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const PERCENTILES = `
  SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY ms),
         percentile_disc(0.99) WITHIN GROUP (ORDER BY ms)
  FROM (
    SELECT round(1000 * extract(epoch FROM pg_xact_commit_timestamp(xmin) - occurred_at))::integer
             AS ms
    FROM usage_record
    WHERE account_id = ANY($1)
  ) AS latency`;

/**
 * How long the usage of these accounts took to reach the balance: from `occurred_at`, which the
 * client set when it published, to the commit of the transaction that wrote the record and moved
 * the account. Postgres stamps a commit just before it flushes it, so the last fsync is not in it.
 * Null where Postgres keeps no commit times (track_commit_timestamp is off) or nothing was metered.
 */
export async function measureLatency(
  database: Database,
  accountIds: readonly string[],
): Promise<Latency | null> {
  const { rows: settings } = await database.query<[string]>({
    text: "SHOW track_commit_timestamp",
    rowMode: "array",
  });
  if (settings[0]?.[0] !== "on") return null;
  const { rows } = await database.query<[number | null, number | null]>({
    text: PERCENTILES,
    values: [accountIds],
    rowMode: "array",
  });
  const [p50Ms, p99Ms] = rows[0] ?? [];
  return typeof p50Ms === "number" && typeof p99Ms === "number" ? { p50Ms, p99Ms } : null;
}

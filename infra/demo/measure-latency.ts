import type { Database } from "../../shared/ledger/postgres/database.ts";

/** Milliseconds from an event to the commit of its debit. */
export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const PERCENTILES = `
  SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY ms) AS "p50Ms",
         percentile_disc(0.99) WITHIN GROUP (ORDER BY ms) AS "p99Ms"
  FROM (
    SELECT round(1000 * extract(epoch FROM pg_xact_commit_timestamp(page.xmin) - first_at)
                 - after_first)::integer AS ms
    FROM usage_page AS page CROSS JOIN LATERAL unnest(page.occurred_after) AS after_first
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
  const { rows: settings } = await database.query<{ track_commit_timestamp: string }>(
    "SHOW track_commit_timestamp",
  );
  if (settings[0]?.track_commit_timestamp !== "on") return null;
  const { rows } = await database.query<{ [name in keyof Latency]: number | null }>(PERCENTILES, [
    accountIds,
  ]);
  const { p50Ms = null, p99Ms = null } = rows[0] ?? {};
  return p50Ms === null || p99Ms === null ? null : { p50Ms, p99Ms };
}

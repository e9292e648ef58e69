import type { Database } from "./database.ts";

// One that stands between two statements is ended by idle_in_transaction_session_timeout; one in the
// middle of a COPY counts as active, and Postgres would wait for its client for ever.
const END = `
  SELECT pg_terminate_backend(pid)
  FROM pg_stat_activity
  WHERE datname = current_database()
    AND usename = current_user
    AND application_name = $1
    AND wait_event = 'ClientRead'
    AND xact_start < clock_timestamp() - $2 * interval '1 millisecond'
    AND pid <> pg_backend_pid()`;

/**
 * Ends transactions, older than this, of processes of this name that Postgres waits for: who has
 * their partitions now waits for the rows that they hold. Returns how many it ended.
 */
export async function endStaleTransactions(
  database: Database,
  { name, olderThanMs }: { readonly name: string; readonly olderThanMs: number },
): Promise<number> {
  const { rowCount } = await database.query(END, [name, olderThanMs]);
  return rowCount ?? 0;
}

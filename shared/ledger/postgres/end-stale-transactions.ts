import type { Database } from "./database.ts";

// idle_in_transaction_session_timeout ends a transaction between two statements. One in the middle of a
// COPY counts as active, and Postgres would wait for its client for ever.
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
 * Ends old transactions of processes of this name that have stopped sending: the process that took over
 * their partitions waits for the rows that they have locked. Returns the number ended.
 */
export async function endStaleTransactions(
  database: Database,
  { name, olderThanMs }: { readonly name: string; readonly olderThanMs: number },
): Promise<number> {
  const { rowCount } = await database.query(END, [name, olderThanMs]);
  return rowCount ?? 0;
}

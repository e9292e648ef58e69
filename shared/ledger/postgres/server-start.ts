import { type Queryable, queryRow } from "./database.ts";

/**
 * SQL: when the Postgres server was started, in seconds, as text. Books go back in time only where the server
 * is restarted (a restore) or is another one (a failover): while it is the same, they lack nothing that they had.
 */
export const SERVER_START = "extract(epoch FROM pg_postmaster_start_time())::text";

/** When the server of these books was started. */
export async function readServerStart(database: Queryable): Promise<string> {
  const row = await queryRow<{ start: string }>(database, `SELECT ${SERVER_START} AS start`);
  if (row === null) throw new Error("Postgres did not say when it was started");
  return row.start;
}

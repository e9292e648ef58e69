import { type Queryable, queryRow } from "./database.ts";

/**
 * SQL: which server and database this is, as text: when the server was started, the database's number, and whether
 * it only reads. Books go back in time where the server is restarted (a restore), where it is another one or becomes the
 * primary (a failover), and where another database takes the place of theirs. A dump that is loaded over them changes
 * none of it: top-up must be stopped for that.
 */
export const SERVER_START = `
  concat_ws('/', extract(epoch FROM pg_postmaster_start_time()), pg_is_in_recovery(),
            (SELECT oid FROM pg_database WHERE datname = current_database()))`;

/** When the server of these books was started. */
export async function readServerStart(database: Queryable): Promise<string> {
  const row = await queryRow<{ start: string }>(database, `SELECT ${SERVER_START} AS start`);
  if (row === null) throw new Error("Postgres did not say when it was started");
  return row.start;
}

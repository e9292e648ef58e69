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

/** A Postgres server as it was at one moment. */
export interface ServerSeen {
  /** As `SERVER_START`. */
  readonly start: string;
  /** The cluster, its timeline and the database; null: it only reads, so that it is on its way to another timeline. */
  readonly history: string | null;
  /** The end of what is on its disk, in bytes of WAL. */
  readonly position: bigint;
}

/** In a server that only reads, both functions of the WAL fail. */
const SEEN = `
  SELECT start,
    CASE WHEN NOT reads_only THEN
      concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
                left(pg_walfile_name(pg_current_wal_flush_lsn()), 8), split_part(start, '/', 3))
    END AS history,
    CASE WHEN reads_only THEN 0 ELSE (pg_current_wal_flush_lsn() - '0/0')::bigint END AS position
  FROM (SELECT ${SERVER_START} AS start, pg_is_in_recovery() AS reads_only) AS server`;

export async function readServer(database: Queryable): Promise<ServerSeen> {
  const seen = await queryRow<ServerSeen>(database, SEEN);
  if (seen === null) throw new Error("Postgres did not say when it was started");
  return seen;
}

/**
 * Whether the books of `now` have all that those of `before` had: it is the same server, restarted where it was. After
 * a restore or a failover the timeline is another one; after the return of an old copy of its disk, its end is before
 * what was seen.
 */
export function goesOn(before: ServerSeen, now: ServerSeen): boolean {
  return now.history !== null && now.history === before.history && now.position >= before.position;
}

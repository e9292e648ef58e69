import { type Queryable, queryRow } from "./database.ts";
import { isDatabaseOutage } from "./outage.ts";

const DATABASE = "(SELECT oid FROM pg_database WHERE datname = current_database())";

/**
 * SQL: which server and database this is, as text: when the server was started, the database's number, and whether
 * it only reads. Books go back in time where the server is restarted (a restore), where it is another one or becomes the
 * primary (a failover), and where another database takes the place of theirs. A dump that is loaded over them changes
 * none of it: top-up must be stopped for that.
 */
export const SERVER_START = `
  concat_ws('/', extract(epoch FROM pg_postmaster_start_time()), pg_is_in_recovery(), ${DATABASE})`;

/** A Postgres server as it was at one moment. */
export interface ServerSeen {
  /** As `SERVER_START`. */
  readonly start: string;
  /** The database, its cluster and the timeline; null: unknown. */
  readonly history: string | null;
  /** The end of what is on its disk, in bytes of WAL. */
  readonly position: bigint;
}

/** A server that only reads is on its way to another timeline; one may lose what it answers before its disk has it. */
const SEEN = `
  SELECT ${SERVER_START} AS start,
    CASE WHEN NOT pg_is_in_recovery() AND current_setting('synchronous_commit') <> 'off' THEN
      (SELECT concat_ws('/', ${DATABASE}, system_identifier, left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))
       FROM pg_control_system())
    END AS history,
    CASE WHEN pg_is_in_recovery() THEN 0 ELSE (pg_current_wal_flush_lsn() - '0/0')::bigint END AS position`;

const START = `SELECT ${SERVER_START} AS start, NULL AS history, 0::bigint AS position`;

/**
 * Makes a function that says which server there is now. What only resembles Postgres may refuse to speak of its WAL
 * (Aurora does); it is then not asked again, since its log has each refusal.
 */
export function serverReader(database: Queryable): () => Promise<ServerSeen> {
  let query = SEEN;
  return async function read(): Promise<ServerSeen> {
    try {
      const seen = await queryRow<ServerSeen>(database, query);
      if (seen === null) throw new Error("Postgres did not say when it was started");
      return seen;
    } catch (error) {
      if (query === START || isDatabaseOutage(error)) throw error;
      query = START;
      return await read();
    }
  };
}

/**
 * Whether the books of `now` are known to have all that those of `before` had: it is the same server, restarted where
 * it was. After a restore or a failover the timeline is another one; after the return of an old copy of its disk, its
 * end is before what was seen.
 */
export function goesOn(before: ServerSeen, now: ServerSeen): boolean {
  return now.history !== null && now.history === before.history && now.position >= before.position;
}

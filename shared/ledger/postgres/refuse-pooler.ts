import { type Database, sqlState, type Transaction } from "./database.ts";

const PROTOCOL_VIOLATION = "08P01";
const SESSION = `
  SELECT pg_backend_pid() AS pid, current_setting('enable_seqscan') = 'off' AS has_settings`;

/** Between this process and Postgres is something that shares its sessions among clients. */
export class PoolerBetween extends Error {
  constructor(why: string, options?: ErrorOptions) {
    const advice = "lead DATABASE_URL to Postgres itself: each process keeps a pool of its own";
    super(
      `DATABASE_URL leads to a connection pooler, such as PgBouncer (${why}); ${advice}`,
      options,
    );
  }
}

/**
 * Throws PoolerBetween unless connections are sessions of Postgres: with the settings of `openDatabase`, which
 * poolers refuse or drop, and known to Postgres by the number that the client has, without which a silent one
 * could not be told.
 */
export async function refusePooler(database: Database): Promise<void> {
  const client = await connect(database);
  try {
    const { rows } = await client.query<{ pid: number; has_settings: boolean }>(SESSION);
    const [session] = rows;
    if (session?.has_settings !== true) throw new PoolerBetween("it drops the session's settings");
    if (Reflect.get(client, "processID") !== session.pid) {
      throw new PoolerBetween("its session is not the client's own");
    }
  } finally {
    client.release();
  }
}

async function connect(database: Database): Promise<Transaction> {
  try {
    return await database.connect();
  } catch (error) {
    if (sqlState(error) !== PROTOCOL_VIOLATION) throw error;
    throw new PoolerBetween((error as Error).message, { cause: error });
  }
}

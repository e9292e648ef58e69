import { type Database, sqlState, type Transaction } from "./database.ts";

const PROTOCOL_VIOLATION = "08P01";
const SESSION = `
  SELECT pg_backend_pid() AS pid, current_setting('enable_seqscan') = 'off' AS has_settings`;

/** Between this process and Postgres is something that shares its sessions among clients. */
export class PoolerBetween extends Error {
  constructor(setting: string, why: string, options?: ErrorOptions) {
    const advice = `lead ${setting} to Postgres itself: each process keeps a pool of its own`;
    super(
      `${setting} leads to a connection pooler, such as PgBouncer (${why}); ${advice}`,
      options,
    );
  }
}

/**
 * Throws PoolerBetween unless connections are sessions of Postgres: with the settings of `openDatabase`, which
 * poolers refuse or drop, and known to Postgres by the number that the client has, without which a silent one
 * could not be told. `setting`: the one that leads there.
 */
export async function refusePooler(database: Database, setting = "DATABASE_URL"): Promise<void> {
  const client = await connect(database, setting);
  try {
    const { rows } = await client.query<{ pid: number; has_settings: boolean }>(SESSION);
    const [session] = rows;
    if (session?.has_settings !== true)
      throw new PoolerBetween(setting, "it drops the session's settings");
    if (Reflect.get(client, "processID") !== session.pid) {
      throw new PoolerBetween(setting, "its session is not the client's own");
    }
  } finally {
    client.release();
  }
}

async function connect(database: Database, setting: string): Promise<Transaction> {
  try {
    return await database.connect();
  } catch (error) {
    if (sqlState(error) !== PROTOCOL_VIOLATION) throw error;
    throw new PoolerBetween(setting, (error as Error).message, { cause: error });
  }
}

import pg from "pg";
import { parseInstant } from "./parse-instant.ts";
import { isReadOnly, replaceUseless } from "./replace-connections.ts";

/** How to reach Postgres. `tls` follows node's TLS options; null means the URL alone decides. */
export interface DatabaseSettings {
  readonly url: string;
  readonly tls: { readonly ca?: string; readonly rejectUnauthorized: boolean } | null;
}

/** A pool of connections. */
export type Database = pg.Pool;
/** A connection with an open transaction. */
export type Transaction = pg.PoolClient;
/** Runs queries: a pool for a single one, a transaction for several that belong together. */
export type Queryable = Database | Transaction;

/**
 * Set on every connection. Limits of a role or database would end what is meant to take long, again and
 * again. The server notices in 20 s that a client is gone, also while it works on a statement of its.
 */
const LIMITS = [
  "statement_timeout=0",
  "lock_timeout=0",
  "transaction_timeout=0",
  "idle_session_timeout=0",
  // A process that hangs with the offset row locked is cut off when Kafka reassigns its partitions.
  "idle_in_transaction_session_timeout=10000",
  "tcp_keepalives_idle=10",
  "tcp_keepalives_interval=2",
  "tcp_keepalives_count=5",
  "tcp_user_timeout=20000",
  "client_connection_check_interval=5000",
];

/**
 * The hot statements look rows up by an array of keys; when one account owns
 * most rows, or before the first ANALYZE, the planner would otherwise join whole tables. No key comes
 * twice, so remembering what was looked up is in vain.
 */
const PLANNING = [
  "enable_hashjoin=off",
  "enable_mergejoin=off",
  "enable_seqscan=off",
  "enable_memoize=off",
];

const SESSION = [...PLANNING, ...LIMITS, "timezone=UTC", "datestyle=ISO"]
  .map((setting) => `-c ${setting}`)
  .join(" ");

/** int8 is read as bigint, timestamptz as an Instant, date as text. */
const TYPES = new pg.TypeOverrides();
TYPES.setTypeParser(pg.types.builtins.INT8, BigInt);
TYPES.setTypeParser(pg.types.builtins.TIMESTAMPTZ, parseInstant);
TYPES.setTypeParser(pg.types.builtins.DATE, String);

/** Batches are planned for their keys. For queries on one account, planning costs more than executing. */
const PLANS = {
  of_batches: "force_custom_plan",
  of_one_account: "force_generic_plan",
} as const;

export interface DatabaseOptions {
  readonly name: string;
  readonly connections: number;
  readonly plans?: keyof typeof PLANS;
  /** Receives the loss of an idle connection, which the pool replaces. */
  readonly onError?: (error: Error) => void;
}

/** Opens a pool. */
export function openDatabase(settings: DatabaseSettings, options: DatabaseOptions): Database {
  const server = {
    connectionString: settings.url,
    ...(settings.tls === null ? {} : { ssl: settings.tls }),
    application_name: options.name,
  };
  const pool = new pg.Pool({
    ...server,
    max: options.connections,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    // Statements that do not wait for each other's answers share a round trip.
    pipeline: true,
    types: TYPES,
    options: `${SESSION} -c plan_cache_mode=${PLANS[options.plans ?? "of_batches"]}`,
  });
  pool.on("error", options.onError ?? (() => undefined));
  // The pool listens to idle connections only. What was sent over one that is lost fails, and it is closed.
  pool.on("connect", (client) => client.on("error", () => undefined));
  replaceUseless(pool, server);
  return pool;
}

/**
 * Runs `work` in a transaction: committed when it returns, rolled back when it throws. A connection
 * whose transaction could not be ended is closed, never reused, and so is one to a server that only reads.
 */
export async function inTransaction<T>(
  database: Database,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  return onConnection(database, async (transaction) => {
    await transaction.query("BEGIN");
    const result = await work(transaction);
    await transaction.query("COMMIT");
    return result;
  });
}

/** Runs `work` on a connection, as `inTransaction` does; it begins and commits by itself. */
export async function onConnection<T>(
  database: Database,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const client = await database.connect();
  let broken: Error | undefined;
  try {
    return await work(client);
  } catch (error) {
    if (isReadOnly(error)) broken = error as Error;
    await client.query("ROLLBACK").catch((lost: Error) => {
      broken = lost;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

/** The rows of a query. Under a `name`, each connection parses and plans the statement once. */
export async function queryRows<Row extends pg.QueryResultRow>(
  database: Queryable,
  text: string,
  values: unknown[] = [],
  name?: string,
): Promise<Row[]> {
  const { rows } = await database.query<Row>({ name, text, values });
  return rows;
}

/** The first row of a query; null: it has none. */
export async function queryRow<Row extends pg.QueryResultRow>(
  ...query: Parameters<typeof queryRows<Row>>
): Promise<Row | null> {
  const [row] = await queryRows<Row>(...query);
  return row ?? null;
}

/** The SQLSTATE of a Postgres error, or null for anything else. */
export function sqlState(error: unknown): string | null {
  return error instanceof pg.DatabaseError ? (error.code ?? null) : null;
}

/** The table that a Postgres error is about, or null. */
export function tableOf(error: unknown): string | null {
  return error instanceof pg.DatabaseError ? (error.table ?? null) : null;
}

export const UNIQUE_VIOLATION = "23505";
export const DIVISION_BY_ZERO = "22012";
const TRANSIENT = new Set(["40001", "40P01"]);

/** A deadlock or a serialization failure: the transaction rolled back and can simply run again. */
export function isTransient(error: unknown): boolean {
  const state = sqlState(error);
  return state !== null && TRANSIENT.has(state);
}

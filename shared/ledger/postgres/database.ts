import pg from "pg";
import { parseInstant } from "./parse-instant.ts";

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
 * Set on every connection. The hot statements look rows up by an array of keys; when one account owns
 * most rows, or before the first ANALYZE, the planner would otherwise join whole tables. No key comes
 * twice, so remembering what was looked up is in vain.
 * A process that hangs with the offset row locked is cut off when Kafka reassigns its partitions.
 */
const SESSION = [
  "enable_hashjoin=off",
  "enable_mergejoin=off",
  "enable_seqscan=off",
  "enable_memoize=off",
  "idle_in_transaction_session_timeout=10000",
  "timezone=UTC",
  "datestyle=ISO",
]
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
  const pool = new pg.Pool({
    connectionString: settings.url,
    ...(settings.tls === null ? {} : { ssl: settings.tls }),
    application_name: options.name,
    max: options.connections,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    // Statements that do not wait for each other's answers share a round trip.
    pipeline: true,
    types: TYPES,
    options: `${SESSION} -c plan_cache_mode=${PLANS[options.plans ?? "of_batches"]}`,
  });
  pool.on("error", options.onError ?? (() => undefined));
  return pool;
}

/**
 * Runs `work` in a transaction: committed when it returns, rolled back when it throws. A connection
 * whose transaction could not be ended is closed, never reused.
 */
export async function inTransaction<T>(
  database: Database,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const client = await database.connect();
  let broken: Error | undefined;
  const onLost = (error: Error) => {
    broken = error;
  };
  client.on("error", onLost);
  try {
    await client.query("BEGIN");
    const result = await work(client);
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch((lost: Error) => {
      broken = lost;
    });
    throw error;
  } finally {
    client.off("error", onLost);
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

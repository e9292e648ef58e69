import { readdir, readFile } from "node:fs/promises";
import {
  type Database,
  queryRow,
  sqlState,
  type Transaction,
} from "../../shared/ledger/postgres/database.ts";
import { LOCK_NOT_AVAILABLE } from "./retry-locks.ts";

/** As migrations write an index on a table that may be large, and on columns that it has already. */
export const INDEX = /^CREATE (UNIQUE )?INDEX IF NOT EXISTS (\w+) ON (\w+)[^;]*;/gm;

// A table that later migrations have dropped, or replaced by a view, needs none.
const IS_MISSING = `
  SELECT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass($2) AND relkind IN ('r', 'p'))
         AND NOT coalesce((SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)), false)
         AS missing`;

// An index is there, or gone, once every transaction that might still use the table without it, or with it, has ended.
const WAITS_FOR = `
  SELECT string_agg(DISTINCT coalesce(nullif(application_name, ''), pid::text), ', ') AS names
  FROM pg_stat_activity
  WHERE pid = ANY(pg_blocking_pids($1))`;

const LOOK_MS = 1_000;
/** How long it waits for each transaction, in milliseconds. */
const MOST_WAIT_MS = 15 * 60_000;

export interface Waiting {
  /** Another connection, to look whom building waits for. */
  readonly database: Database;
  readonly onWait: (holders: string) => void | Promise<void>;
  readonly mostWaitMs?: number;
}

/**
 * Builds the indexes of new migrations on tables that exist, one after the other, while others write to
 * the tables; within the transaction of the migrations they would have to wait. Broken off, it begins
 * the index again. Throws if a transaction of others keeps it waiting for a quarter of an hour.
 */
export async function buildIndexes(
  client: Transaction,
  directory: URL,
  waiting: Waiting,
): Promise<void> {
  await client.query(`SET lock_timeout = ${waiting.mostWaitMs ?? MOST_WAIT_MS}`);
  try {
    for (const name of (await readdir(directory)).sort()) {
      const text = await readFile(new URL(name, directory), "utf8");
      for (const [create, , index = "", table = ""] of text.matchAll(INDEX)) {
        const { rows } = await client.query<{ missing: boolean }>(IS_MISSING, [index, table]);
        if (rows[0]?.missing !== true) continue;
        await sayingWhom(client, waiting, index, async () => {
          await client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${index}`);
          await client.query(create.replace("INDEX IF NOT EXISTS", "INDEX CONCURRENTLY"));
        });
      }
    }
  } finally {
    await client.query("SET lock_timeout = 0");
  }
}

interface Blockers {
  readonly names: string | null;
}

async function sayingWhom(
  client: Transaction,
  { database, onWait }: Waiting,
  index: string,
  build: () => Promise<unknown>,
): Promise<void> {
  const self = await queryRow<{ pid: number }>(client, "SELECT pg_backend_pid() AS pid");
  let holders = "others";
  const look = async () => {
    const { names } = (await queryRow<Blockers>(database, WAITS_FOR, [self?.pid])) ?? {};
    if (names == null) return;
    holders = names;
    await onWait(holders);
  };
  const timer = setInterval(() => void look().catch(() => undefined), LOOK_MS);
  try {
    await build();
  } catch (error) {
    if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error;
    throw new Error(
      `the index ${index} waits for ${holders}: end what it does, and run set-up again`,
    );
  } finally {
    clearInterval(timer);
  }
}

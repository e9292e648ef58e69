import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { PG_MIGRATE_LOCK_ID, runner } from "node-pg-migrate";
import { DEFAULT_WINDOW } from "../../shared/core/usage/usage-event.ts";
import {
  type Database,
  queryRow,
  type Transaction,
} from "../../shared/ledger/postgres/database.ts";
import { listMigrations } from "../../shared/ledger/replay/source.ts";
import { buildIndexes } from "./build-indexes.ts";
import { type CarryOptions, carryUsage, hasUsageToCarry } from "./carry-usage.ts";
import { LOCK_WAIT_MS, type LockRetries, retryLocks } from "./retry-locks.ts";

const MIGRATIONS = new URL("./migrations/", import.meta.url);

/** Drops the tables of single records, so usage is carried before it. */
const AFTER_CARRYING = "0028_usage_pages_only";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Of identities, more are carried than can come again, in case the window becomes longer. */
const MARGIN_MS = 5 * DAY_MS;
/** A statement may hold a lock on a table that everybody needs: one that takes longer is given up. */
const STATEMENT_LIMIT_MS = 60_000;

export interface MigrateOptions extends Omit<CarryOptions, "repeatsSince"> {
  /** How old an event may be that is metered. */
  readonly maxBehindMs: number;
  readonly locks?: Partial<Pick<LockRetries, "onWait" | "tries" | "pauseMs">>;
}

const USUAL: MigrateOptions = { ...DEFAULT_WINDOW, onProgress: () => undefined };

/**
 * Applies new migrations in order, one process at a time, and carries the usage of a version before over
 * to pages, all while that version runs. Returns the names of the migrations. Throws UncarriedUsage.
 */
export async function migrate(
  database: Database,
  { maxBehindMs, locks, ...options }: MigrateOptions = USUAL,
): Promise<string[]> {
  const client = await database.connect();
  try {
    return await alone(client, async () => {
      const before = await appliedTo(client);
      const { onWait = () => undefined } = locks ?? {};
      await buildIndexes(client, MIGRATIONS, { database, onWait });
      if (await hasUsageToCarry(client)) {
        const repeatsSince = Date.now() - maxBehindMs - MARGIN_MS;
        await apply(client, locks, (name) => name < AFTER_CARRYING);
        await carryUsage(client, { ...options, repeatsSince });
      }
      await apply(client, locks);
      return (await appliedTo(client)).filter((name) => !before.includes(name));
    });
  } finally {
    client.release();
  }
}

/** The migrations that a database has and this version does not know: a newer one has made its tables. */
export async function unknownMigrations(database: Database): Promise<string[]> {
  const client = await database.connect();
  try {
    const known = await listNames();
    return (await appliedTo(client)).filter((name) => !known.includes(name));
  } finally {
    client.release();
  }
}

/** Under the lock of the migrations. */
async function alone(client: Transaction, work: () => Promise<string[]>): Promise<string[]> {
  const lock = await queryRow<{ locked: boolean }>(
    client,
    `SELECT pg_try_advisory_lock(${PG_MIGRATE_LOCK_ID}) AS locked`,
  );
  if (lock?.locked !== true) throw new Error("another set-up is migrating this database");
  try {
    return await work();
  } finally {
    await client.query(`SELECT pg_advisory_unlock(${PG_MIGRATE_LOCK_ID})`);
  }
}

/** The names of the migrations of this version, in their order. */
async function listNames(): Promise<string[]> {
  return (await readdir(MIGRATIONS)).map((file) => file.replace(/\.sql$/, "")).sort();
}

const HAS_LIST = "SELECT FROM pg_class WHERE oid = to_regclass('public.migration')";

async function appliedTo(client: Transaction): Promise<string[]> {
  return (await queryRow(client, HAS_LIST)) === null ? [] : await listMigrations(client);
}

const LIMITS = `SET lock_timeout = ${LOCK_WAIT_MS}; SET statement_timeout = ${STATEMENT_LIMIT_MS}`;
const NO_LIMITS = "SET lock_timeout = 0; SET statement_timeout = 0";

/**
 * Each migration is a transaction of its own, so that its locks are free at its end. It holds up nobody for long:
 * what does not get its locks at once is rolled back and tried again.
 */
async function apply(
  client: Transaction,
  locks: MigrateOptions["locks"],
  isWanted: (name: string) => boolean = () => true,
): Promise<void> {
  const retries = { what: "the tables", onWait: () => undefined, ...locks };
  await client.query(LIMITS);
  try {
    await retryLocks(client, retries, () => applyPending(client, isWanted));
  } finally {
    await client.query(NO_LIMITS);
  }
}

async function applyPending(
  client: Transaction,
  isWanted: (name: string) => boolean,
): Promise<void> {
  const applied = await appliedTo(client);
  const pending = (await listNames()).filter((name) => isWanted(name) && !applied.includes(name));
  if (pending.length === 0) return;
  try {
    await runner({
      dbClient: client,
      dir: fileURLToPath(MIGRATIONS),
      direction: "up",
      migrationsTable: "migration",
      singleTransaction: false,
      noLock: true,
      count: pending.length,
      log: () => undefined,
    });
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined); // a lost connection has rolled back
    throw error;
  }
}

import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { PG_MIGRATE_LOCK_ID, runner } from "node-pg-migrate";
import { DEFAULT_WINDOW } from "../../shared/core/usage/usage-event.ts";
import {
  type Database,
  queryRows,
  type Transaction,
} from "../../shared/ledger/postgres/database.ts";
import { buildIndexes } from "./build-indexes.ts";
import { type CarryOptions, carryUsage, hasUsageToCarry } from "./carry-usage.ts";

const MIGRATIONS = new URL("./migrations/", import.meta.url);

/** Drops the tables of single records, so usage is carried before it. */
const AFTER_CARRYING = "0028_usage_pages_only";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Of identities, more are carried than can come again, in case the window becomes longer. */
const MARGIN_MS = 5 * DAY_MS;

export interface MigrateOptions extends Omit<CarryOptions, "repeatsSince"> {
  /** How old an event may be that is metered. */
  readonly maxBehindMs: number;
}

const USUAL: MigrateOptions = { ...DEFAULT_WINDOW, onProgress: () => undefined };

/**
 * Applies new migrations in order, one process at a time, and carries the usage of a version before over
 * to pages. Returns the names of the migrations. Throws UncarriedUsage.
 */
export async function migrate(
  database: Database,
  { maxBehindMs, ...options }: MigrateOptions = USUAL,
): Promise<string[]> {
  const client = await database.connect();
  try {
    return await alone(client, async () => {
      await buildIndexes(client, MIGRATIONS);
      const before = await carryFirst(client, {
        ...options,
        repeatsSince: Date.now() - maxBehindMs - MARGIN_MS,
      });
      return [...before, ...(await apply(client))];
    });
  } finally {
    client.release();
  }
}

/** Under the lock of the migrations. While another process holds it, the runner refuses to start. */
async function alone(client: Transaction, work: () => Promise<string[]>): Promise<string[]> {
  const [lock] = await queryRows<{ locked: boolean }>(
    client,
    `SELECT pg_try_advisory_lock(${PG_MIGRATE_LOCK_ID}) AS locked`,
  );
  if (lock?.locked !== true) return apply(client);
  try {
    return await work();
  } finally {
    await client.query(`SELECT pg_advisory_unlock(${PG_MIGRATE_LOCK_ID})`);
  }
}

/** Where a version before has metered: applies the migrations up to the one that needs its usage on pages. */
async function carryFirst(client: Transaction, options: CarryOptions): Promise<string[]> {
  if (!(await hasUsageToCarry(client))) return [];
  const names = (await readdir(MIGRATIONS)).map((file) => file.replace(/\.sql$/, "")).sort();
  const applied = await queryRows<{ name: string }>(client, "SELECT name FROM migration");
  const isApplied = new Set(applied.map(({ name }) => name));
  const pending = names.filter((name) => name < AFTER_CARRYING && !isApplied.has(name));
  const before = pending.length === 0 ? [] : await apply(client, pending.length);
  await carryUsage(client, options);
  return before;
}

async function apply(client: Transaction, count?: number): Promise<string[]> {
  const applied = await runner({
    dbClient: client,
    dir: fileURLToPath(MIGRATIONS),
    direction: "up",
    migrationsTable: "migration",
    singleTransaction: true,
    ...(count === undefined ? {} : { count }),
    log: () => undefined,
  });
  return applied.map(({ name }) => name);
}

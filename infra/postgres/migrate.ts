import { fileURLToPath } from "node:url";
import { PG_MIGRATE_LOCK_ID, runner } from "node-pg-migrate";
import type { Database, Transaction } from "../../shared/ledger/postgres/database.ts";
import { buildIndexes } from "./build-indexes.ts";

const MIGRATIONS = new URL("./migrations/", import.meta.url);

/** Applies new migrations in order, one process at a time. Returns their names. */
export async function migrate(database: Database): Promise<string[]> {
  const client = await database.connect();
  try {
    await buildAlone(client);
    const applied = await runner({
      dbClient: client,
      dir: fileURLToPath(MIGRATIONS),
      direction: "up",
      migrationsTable: "migration",
      singleTransaction: true,
      log: () => undefined,
    });
    return applied.map(({ name }) => name);
  } finally {
    client.release();
  }
}

/** Under the lock of the migrations. While another process holds it, the runner refuses to start. */
async function buildAlone(client: Transaction): Promise<void> {
  const { rows } = await client.query<{ locked: boolean }>(
    `SELECT pg_try_advisory_lock(${PG_MIGRATE_LOCK_ID}) AS locked`,
  );
  if (rows[0]?.locked !== true) return;
  try {
    await buildIndexes(client, MIGRATIONS);
  } finally {
    await client.query(`SELECT pg_advisory_unlock(${PG_MIGRATE_LOCK_ID})`);
  }
}

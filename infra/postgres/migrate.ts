import { fileURLToPath } from "node:url";
import { runner } from "node-pg-migrate";
import type { Database } from "../../shared/ledger/postgres/database.ts";

/** Applies new migrations in order, one process at a time. Returns their names. */
export async function migrate(database: Database): Promise<string[]> {
  const client = await database.connect();
  try {
    const applied = await runner({
      dbClient: client,
      dir: fileURLToPath(new URL("./migrations", import.meta.url)),
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

import { readdir, readFile } from "node:fs/promises";
import type { ClientBase } from "pg";

/** As migrations write an index on a table that may be large, and on columns that it has already. */
export const INDEX = /^CREATE (UNIQUE )?INDEX IF NOT EXISTS (\w+) ON (\w+)[^;]*;/gm;

// A table that later migrations have dropped, or replaced by a view, needs none.
const IS_MISSING = `
  SELECT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass($2) AND relkind IN ('r', 'p'))
         AND NOT coalesce((SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)), false)
         AS missing`;

/**
 * Builds the indexes of new migrations on tables that exist, one after the other, while others write to
 * the tables; within the transaction of the migrations they would have to wait. Broken off, it begins
 * the index again.
 */
export async function buildIndexes(client: ClientBase, directory: URL): Promise<void> {
  for (const name of (await readdir(directory)).sort()) {
    const text = await readFile(new URL(name, directory), "utf8");
    for (const [create, , index = "", table = ""] of text.matchAll(INDEX)) {
      const { rows } = await client.query<{ missing: boolean }>(IS_MISSING, [index, table]);
      if (rows[0]?.missing !== true) continue;
      await client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${index}`);
      await client.query(create.replace("INDEX IF NOT EXISTS", "INDEX CONCURRENTLY"));
    }
  }
}

import type { Database } from "./database.ts";
import { requireRights } from "./missing-rights.ts";
import { requireSchema } from "./require-schema.ts";

/**
 * What a service needs of Postgres before it starts. Throws PoolerBetween, RightsMissing or OtherSchema, which say
 * what to do.
 */
export async function requireBooks(database: Database): Promise<void> {
  await requireRights(database);
  await requireSchema(database);
}

import type { Database } from "../postgres/database.ts";

const COUNT = "SELECT count(*)::integer FROM (SELECT FROM outbox LIMIT $1) AS waiting";

/** Counts the records that wait to be published, up to `atMost`. */
export async function countOutbox(database: Database, atMost: number): Promise<number> {
  const { rows } = await database.query<{ count: number }>(COUNT, [atMost]);
  return rows[0]?.count ?? 0;
}

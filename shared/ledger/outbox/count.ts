import { type Database, queryRow } from "../postgres/database.ts";

const COUNT =
  "SELECT count(*)::integer FROM (SELECT FROM outbox WHERE refused IS NULL LIMIT $1) AS waiting";

/** Counts the records that wait to be published, up to `atMost`. */
export async function countOutbox(database: Database, atMost: number): Promise<number> {
  return (await queryRow<{ count: number }>(database, COUNT, [atMost]))?.count ?? 0;
}

const REFUSED = `
  SELECT (SELECT count(*) FROM outbox WHERE refused IS NOT NULL)::integer
       + (SELECT count(*) FROM dead_letter WHERE publish_refused IS NOT NULL)::integer AS count`;

/** Counts the records and dead letters that Kafka or a schema refuses to publish. */
export async function countRefused(database: Database): Promise<number> {
  return (await queryRow<{ count: number }>(database, REFUSED))?.count ?? 0;
}

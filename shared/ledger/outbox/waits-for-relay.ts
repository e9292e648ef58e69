import { ALL_TOPICS } from "../../core/text/topics.ts";
import { type Database, queryRow } from "../postgres/database.ts";

const ANY = `
  SELECT EXISTS (SELECT FROM outbox WHERE refused IS NULL AND topic = ANY ($1))
      OR EXISTS (SELECT FROM dead_letter WHERE published_at IS NULL AND publish_refused IS NULL)
      OR EXISTS (SELECT FROM dead_letter WHERE retry_asked_at IS NOT NULL AND retried_at IS NULL)
         AS any`;

/**
 * Whether records of known topics, dead letters, or dead letters to retry wait for the relay. One statement outside
 * of a transaction, so that a relay which finds nothing may look often.
 */
export async function waitsForRelay(database: Database): Promise<boolean> {
  return (
    (await queryRow<{ any: boolean }>(database, ANY, [ALL_TOPICS], "waits-for-relay"))?.any === true
  );
}

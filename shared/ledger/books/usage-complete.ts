import type { Instant } from "../../core/line/account.ts";
import { GRACE_MS } from "../../core/month/expiry.ts";
import { USAGE_READER } from "../../core/text/topics.ts";
import { type Queryable, queryRow } from "../postgres/database.ts";

const READ = `
  SELECT until
  FROM usage_complete
  WHERE consumer = $1 AND topic = $2`;

/**
 * Until when usage is complete: the grace before the last instant whose messages are all metered. Null:
 * unknown. Not after `clock`: that of the machine that has noted it may be ahead, and would post what falls due
 * before it does.
 */
export async function readCompleteUntil(
  transaction: Queryable,
  clock: Instant,
): Promise<Instant | null> {
  const { consumer, topic } = USAGE_READER;
  const values = [consumer, topic];
  const row = await queryRow<{ until: Instant }>(transaction, READ, values, "read-complete-until");
  return row && Math.min(row.until - GRACE_MS, clock);
}

const NOTE = `
  INSERT INTO usage_complete (consumer, topic, until)
  VALUES ($1, $2, to_timestamp($3 / 1000.0))
  ON CONFLICT (consumer, topic) DO UPDATE
  SET until = greatest(usage_complete.until, excluded.until)`;

/** Records that every message published before an instant is metered. It never goes back. */
export async function recordUsageComplete(database: Queryable, until: Instant): Promise<void> {
  const { consumer, topic } = USAGE_READER;
  await database.query(NOTE, [consumer, topic, until]);
}

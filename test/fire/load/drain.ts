import { setTimeout as wait } from "node:timers/promises";
import type { Admin } from "kafkajs";
import type pg from "pg";

const LOOK_EVERY_MS = 300;

/**
 * Waits until all usage is metered, every low balance handled, every payment settled, every hold ended and
 * everything published. Returns what is left after `withinMs`; empty: nothing.
 */
export async function drain(admin: Admin, database: pg.Pool, withinMs: number): Promise<string[]> {
  const deadline = performance.now() + withinMs;
  for (let quiet = 0; ; ) {
    const left = await leftToDo(admin, database).catch((error: Error) => [error.message]);
    quiet = left.length === 0 ? quiet + 1 : 0;
    // What one service has finished may be work for the next one.
    if (quiet >= 4 || performance.now() > deadline) return left;
    await wait(LOOK_EVERY_MS);
  }
}

async function leftToDo(admin: Admin, database: pg.Pool): Promise<string[]> {
  const left: string[] = [];
  for (const [consumer, topic] of [
    ["metering", "usage.events"],
    ["top-up", "billing.low-balance"],
  ] as const) {
    const unread = await unreadBy(admin, database, consumer, topic);
    if (unread > 0n) left.push(`${consumer} has ${unread} messages to read`);
  }
  const { rows } = await database.query<{ what: string; rows: number }>(
    `SELECT 'records to publish' AS what, count(*)::integer AS rows FROM outbox
     UNION ALL SELECT 'balances to publish', count(*)::integer FROM balance_change
     UNION ALL SELECT 'dead letters to publish', count(*)::integer FROM dead_letter WHERE published_at IS NULL
     UNION ALL SELECT 'holds to end', count(*)::integer FROM hold WHERE ended_at IS NULL
     UNION ALL SELECT 'payments to settle', count(*)::integer FROM payment WHERE status = 'pending'`,
  );
  for (const { what, rows: count } of rows) if (count > 0) left.push(`${count} ${what}`);
  return left;
}

/** How many messages of a topic a consumer has not read. */
export async function unreadBy(
  admin: Admin,
  database: pg.Pool,
  consumer: string,
  topic: string,
): Promise<bigint> {
  const { rows } = await database.query<{ partition: number; next: string }>(
    `SELECT kafka_partition AS partition, next_offset AS next
     FROM consumer_offset WHERE consumer = $1 AND topic = $2`,
    [consumer, topic],
  );
  const next = new Map(rows.map((row) => [row.partition, BigInt(row.next)]));
  const ends = await admin.fetchTopicOffsets(topic);
  return ends.reduce(
    (sum, { partition, high }) => sum + BigInt(high) - (next.get(partition) ?? 0n),
    0n,
  );
}

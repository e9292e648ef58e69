import { setTimeout as wait } from "node:timers/promises";
import type { Admin } from "kafkajs";
import { TOPICS, USAGE_READER } from "../../shared/core/text/topics.ts";
import { readOffsets } from "../../shared/ledger/books/consumer-offset.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import type { LowBalanceFollower } from "./follow-low-balances.ts";

/**
 * How long there may be no progress while work is left: longer than Kafka takes to reassign the
 * partitions of a killed process.
 */
const STALLED_MS = 120_000;
const POLL_MS = 100;

/**
 * Waits until all usage on the topic is metered, and the low balances are published and received.
 * Returns early when there is no progress: the comparison then shows what is missing.
 */
export async function awaitBooks(
  servers: { database: Database; admin: Admin; lowBalances: LowBalanceFollower },
  accountIds: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { database, admin, lowBalances } = servers;
  const ends = await endsOf(admin, TOPICS.usageEvents);
  const metered = await untilNone(signal, async () => {
    const offsets = await readOffsets(database, USAGE_READER);
    return [...ends].reduce((left, [partition, end]) => {
      const behind = end - (offsets.get(partition) ?? 0n);
      return behind > 0n ? left + behind : left;
    }, 0n);
  });
  if (!metered) return;
  const published = await untilNone(signal, () => countUnpublished(database, accountIds));
  if (published) await lowBalances.readUpTo(await endsOf(admin, TOPICS.lowBalance), STALLED_MS);
}

/** Waits until `left` is 0; false when it stops shrinking. */
async function untilNone(signal: AbortSignal, left: () => Promise<bigint>): Promise<boolean> {
  let least: bigint | null = null;
  let movedAt = Date.now();
  for (;;) {
    const now = await left();
    if (now === 0n) return true;
    if (least === null || now < least) {
      least = now;
      movedAt = Date.now();
    }
    if (Date.now() - movedAt > STALLED_MS) return false;
    await wait(POLL_MS, undefined, { signal });
  }
}

/** The end offsets of the partitions that are not empty. */
async function endsOf(admin: Admin, topic: string): Promise<Map<number, bigint>> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return new Map(
    offsets
      .filter(({ low, high }) => low !== high)
      .map(({ partition, high }) => [partition, BigInt(high)]),
  );
}

async function countUnpublished(
  database: Database,
  accountIds: readonly string[],
): Promise<bigint> {
  const { rows } = await database.query<{ count: bigint }>(
    "SELECT count(*) FROM outbox WHERE account_id = ANY($1)",
    [accountIds],
  );
  return rows[0]?.count ?? 0n;
}

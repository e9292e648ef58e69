import { setTimeout as wait } from "node:timers/promises";
import type { Admin } from "kafkajs";
import { TOPICS, USAGE_READER } from "../../shared/core/text/topics.ts";
import { readOffsets } from "../../shared/ledger/books/consumer-offset.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import type { LowBalanceFollower } from "./follow-low-balances.ts";

/**
 * How long the books may stand still while something is left to do. Longer than Kafka takes to hand
 * the partitions of a process that was killed to the next one.
 */
const STILL_MS = 120_000;
const LOOK_EVERY_MS = 100;

/**
 * Waits until all that is on the usage topic now is metered, and every low balance that came of it
 * was published and heard. Returns early when nothing moves any more: the check of
 * the books then says what is missing.
 */
export async function awaitBooks(
  parts: { database: Database; admin: Admin; lowBalances: LowBalanceFollower },
  accountIds: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { database, admin, lowBalances } = parts;
  const ends = await endsOf(admin, TOPICS.usageEvents);
  const metered = await untilNone(signal, async () => {
    const places = await readOffsets(database, USAGE_READER);
    return [...ends].reduce((left, [partition, end]) => {
      const behind = end - (places.get(partition) ?? 0n);
      return behind > 0n ? left + behind : left;
    }, 0n);
  });
  if (!metered) return;
  const published = await untilNone(signal, () => countUnpublished(database, accountIds));
  if (published) await lowBalances.readUpTo(await endsOf(admin, TOPICS.lowBalance), STILL_MS);
}

/** Waits until `left` is 0; false when it does not shrink for a long time. */
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
    if (Date.now() - movedAt > STILL_MS) return false;
    await wait(LOOK_EVERY_MS, undefined, { signal });
  }
}

/** Where the partitions end that have something to read. */
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

import type { Admin } from "kafkajs";
import { USAGE_READER } from "../../../shared/core/text/topics.ts";
import { readPartitionEnds } from "../../../shared/kafka/client/partition-ends.ts";
import { readOffsets } from "../../../shared/ledger/books/consumer-offset.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";

/** How metering keeps up, seen from outside: from a message's place in Kafka to its place in the books. */
export interface Delay {
  readonly eventsPerSecond: number;
  /** Messages that the books have not read, at most. */
  readonly lag: bigint;
  /** From being in Kafka to being in the books, of the last minutes; null: nothing came. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** The end of a partition as it was seen, and when. */
interface Seen {
  readonly end: bigint;
  readonly at: number;
}

const MOST_SEEN = 1_000;
const MOST_DELAYS = 1_000;
const SPEED_OVER_MS = 5_000;

/**
 * Watches the ends of the partitions and the places in the books: an end that was seen, and has been
 * read by now, took that long. As exact as it is looked often. Memory: two thousand numbers at most
 * for each partition.
 */
export function delayFollower(parts: {
  readonly admin: Admin;
  readonly database: Database;
  now(): number;
}): { look(): Promise<void>; readonly delay: Delay } {
  const { admin, database, now } = parts;
  const seen = new Map<number, Seen[]>();
  const reads: { readonly at: number; readonly read: bigint }[] = [];
  let delays: number[] = [];
  let lag = 0n;

  async function look(): Promise<void> {
    const ends = await readPartitionEnds(admin);
    const endsAt = now();
    for (const { partition, high } of ends) notice(partition, high, endsAt);
    const places = await readOffsets(database, USAGE_READER);
    const at = now();
    lag = 0n;
    let read = 0n;
    for (const { partition, high, low } of ends) {
      const place = places.get(partition) ?? low;
      read += place;
      if (high > place) lag += high - place;
      settle(partition, place, at);
    }
    reads.push({ at, read });
    while ((reads[0]?.at ?? at) < at - SPEED_OVER_MS && reads.length > 2) reads.shift();
  }

  function notice(partition: number, end: bigint, at: number): void {
    const ofPartition = seen.get(partition) ?? [{ end, at }];
    seen.set(partition, ofPartition);
    if (ofPartition.length < MOST_SEEN && end > (ofPartition.at(-1)?.end ?? 0n)) {
      ofPartition.push({ end, at });
    }
  }

  function settle(partition: number, place: bigint, at: number): void {
    const ofPartition = seen.get(partition) ?? [];
    for (
      let first = ofPartition[1];
      first !== undefined && first.end <= place;
      first = ofPartition[1]
    ) {
      delays.push(at - first.at);
      ofPartition.shift();
    }
    if (delays.length > MOST_DELAYS) delays = delays.slice(-MOST_DELAYS);
  }

  return {
    look,
    get delay() {
      const sorted = delays.toSorted((a, b) => a - b);
      const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? null;
      return { eventsPerSecond: speedOf(reads), lag, p50Ms: at(0.5), p99Ms: at(0.99) };
    },
  };
}

function speedOf(reads: readonly { readonly at: number; readonly read: bigint }[]): number {
  const [first] = reads;
  const last = reads.at(-1);
  if (first === undefined || last === undefined || last.at === first.at) return 0;
  return Math.round((Number(last.read - first.read) * 1000) / (last.at - first.at));
}

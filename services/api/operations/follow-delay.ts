import type { Admin } from "kafkajs";
import { USAGE_READER } from "../../../shared/core/text/topics.ts";
import { readPartitionEnds } from "../../../shared/kafka/client/partition-ends.ts";
import { readOffsets } from "../../../shared/ledger/books/consumer-offset.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";

/** How metering keeps up: the delay from a message in Kafka to its usage in the books. */
export interface Delay {
  readonly eventsPerSecond: number;
  /** Messages not yet in the books, at most. */
  readonly lag: bigint;
  /** Over the last minutes; null if there was no usage. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** The end offset of a partition at a time. */
interface Seen {
  readonly end: bigint;
  readonly at: number;
}

const MOST_SEEN = 1_000;
const MOST_DELAYS = 1_000;
const SPEED_OVER_MS = 5_000;

/**
 * Samples the partitions' end offsets and the offsets in the books. The delay is the time from seeing
 * an end to seeing it in the books, so it is as exact as the sampling interval. It keeps at most
 * 1,000 samples per partition.
 */
export function delayFollower(context: {
  readonly admin: Admin;
  readonly database: Database;
  now(): number;
}): { look(): Promise<void>; readonly delay: Delay } {
  const { admin, database, now } = context;
  const seen = new Map<number, Seen[]>();
  const reads: { readonly at: number; readonly read: bigint }[] = [];
  let delays: number[] = [];
  let lag = 0n;

  async function look(): Promise<void> {
    const ends = await readPartitionEnds(admin);
    const endsAt = now();
    for (const { partition, high } of ends) addEnd(partition, high, endsAt);
    const offsets = await readOffsets(database, USAGE_READER);
    const at = now();
    lag = 0n;
    let read = 0n;
    for (const { partition, high, low } of ends) {
      const offset = offsets.get(partition) ?? low;
      read += offset;
      if (high > offset) lag += high - offset;
      addDelays(partition, offset, at);
    }
    reads.push({ at, read });
    while ((reads[0]?.at ?? at) < at - SPEED_OVER_MS && reads.length > 2) reads.shift();
  }

  function addEnd(partition: number, end: bigint, at: number): void {
    const ofPartition = seen.get(partition) ?? [{ end, at }];
    seen.set(partition, ofPartition);
    if (ofPartition.length < MOST_SEEN && end > (ofPartition.at(-1)?.end ?? 0n)) {
      ofPartition.push({ end, at });
    }
  }

  function addDelays(partition: number, offset: bigint, at: number): void {
    const ofPartition = seen.get(partition) ?? [];
    for (
      let first = ofPartition[1];
      first !== undefined && first.end <= offset;
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

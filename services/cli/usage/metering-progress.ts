import { setTimeout as sleep } from "node:timers/promises";
import type { Admin } from "kafkajs";
import { METERING, USAGE_READER } from "../../../shared/core/text/topics.ts";
import type { PartitionEnds } from "../../../shared/kafka/client/partition-ends.ts";
import { readOffsets } from "../../../shared/ledger/books/consumer-offset.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";

const MEASURE_MS = 1_000;

/** The next offset to meter, by partition; a partition that metering has not begun is missing. */
type Offsets = ReadonlyMap<number, bigint>;

/** How far metering has read, and how fast it is. */
export interface Speed {
  readonly offsets: Offsets;
  /** Measured over a second; an upper bound, since offsets need not be contiguous. */
  readonly eventsPerSecond: number;
}

/** Reads the offsets twice, a second apart. */
export async function measureSpeed(database: Database): Promise<Speed> {
  const startedAt = performance.now();
  const before = await readOffsets(database, USAGE_READER);
  await sleep(MEASURE_MS);
  const offsets = await readOffsets(database, USAGE_READER);
  const seconds = (performance.now() - startedAt) / 1000;
  const read = Number(sumOf(offsets) - sumOf(before));
  return { offsets, eventsPerSecond: Math.round(read / seconds) };
}

/** Counts the metering consumers. */
export async function countMembers(admin: Admin): Promise<number> {
  const { groups } = await admin.describeGroups([METERING]);
  return groups[0]?.members.length ?? 0;
}

/** How far a partition is metered; null: unknown. */
export interface PartitionLag {
  readonly partition: number;
  readonly high: bigint | null;
  readonly nextOffset: bigint | null;
  /** Messages that are not metered yet; an upper bound, since offsets need not be contiguous. */
  readonly lag: bigint | null;
}

/** Combines Kafka's ends with the books' offsets; either may be unknown. */
export function lagsOf(
  ends: readonly PartitionEnds[] | null,
  offsets: Offsets | null,
): PartitionLag[] {
  const partitions = new Set([
    ...(ends ?? []).map(({ partition }) => partition),
    ...(offsets ?? new Map()).keys(),
  ]);
  return [...partitions]
    .sort((a, b) => a - b)
    .map((partition) => {
      const end = ends?.find((candidate) => candidate.partition === partition);
      const nextOffset = offsets?.get(partition) ?? null;
      const isKnown = end !== undefined && offsets !== null;
      return {
        partition,
        high: end?.high ?? null,
        nextOffset,
        lag: isKnown ? atLeastZero(end.high - (nextOffset ?? end.low)) : null,
      };
    });
}

/** Kafka and the books are read at slightly different instants, so metering may be ahead. */
function atLeastZero(lag: bigint): bigint {
  return lag > 0n ? lag : 0n;
}

function sumOf(offsets: Offsets): bigint {
  return [...offsets.values()].reduce((sum, nextOffset) => sum + nextOffset, 0n);
}

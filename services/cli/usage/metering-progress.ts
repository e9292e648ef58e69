import { setTimeout as sleep } from "node:timers/promises";
import type { Admin } from "kafkajs";
import { METERING, USAGE_READER } from "../../../shared/core/text/topics.ts";
import type { PartitionEnds } from "../../../shared/kafka/client/partition-ends.ts";
import { readOffsets } from "../../../shared/ledger/books/consumer-offset.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";

const MEASURE_MS = 1_000;

/** The first offset that the books have not read, by partition, as far as they have begun. */
type Places = ReadonlyMap<number, bigint>;

/** How far metering has read, and how fast it goes. */
export interface Speed {
  readonly places: Places;
  /** Measured over a second. Offsets need not be contiguous, so it is at most this. */
  readonly eventsPerSecond: number;
}

/** Reads the places in the books twice, a second apart. */
export async function measureSpeed(database: Database): Promise<Speed> {
  const startedAt = performance.now();
  const before = await readOffsets(database, USAGE_READER);
  await sleep(MEASURE_MS);
  const places = await readOffsets(database, USAGE_READER);
  const seconds = (performance.now() - startedAt) / 1000;
  const read = Number(sumOf(places) - sumOf(before));
  return { places, eventsPerSecond: Math.round(read / seconds) };
}

/** How many consumers meter now. */
export async function countMembers(admin: Admin): Promise<number> {
  const { groups } = await admin.describeGroups([METERING]);
  return groups[0]?.members.length ?? 0;
}

/** A partition with what Kafka has and what the books have read of it; null: not known. */
export interface PartitionLag {
  readonly partition: number;
  readonly high: bigint | null;
  readonly nextOffset: bigint | null;
  /** Messages not metered yet, at most: offsets need not be contiguous. */
  readonly lag: bigint | null;
}

/** Puts both sides together, each as far as it is known. A partition not yet begun lags by all it has. */
export function lagsOf(
  ends: readonly PartitionEnds[] | null,
  places: Places | null,
): PartitionLag[] {
  const partitions = new Set([
    ...(ends ?? []).map(({ partition }) => partition),
    ...(places ?? new Map()).keys(),
  ]);
  return [...partitions]
    .sort((a, b) => a - b)
    .map((partition) => {
      const end = ends?.find((known) => known.partition === partition);
      const nextOffset = places?.get(partition) ?? null;
      const known = end !== undefined && places !== null;
      return {
        partition,
        high: end?.high ?? null,
        nextOffset,
        lag: known ? atLeastZero(end.high - (nextOffset ?? end.low)) : null,
      };
    });
}

/** The two sides are read at slightly different instants. */
function atLeastZero(lag: bigint): bigint {
  return lag > 0n ? lag : 0n;
}

function sumOf(places: Places): bigint {
  return [...places.values()].reduce((sum, nextOffset) => sum + nextOffset, 0n);
}

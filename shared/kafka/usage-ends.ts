import type { Admin } from "kafkajs";
import { TOPICS } from "../core/text/topics.ts";

/** A partition of the usage topic, as Kafka has it. */
export interface PartitionEnds {
  readonly partition: number;
  /** The first offset that is still there. */
  readonly low: bigint;
  /** One past the last offset. */
  readonly high: bigint;
}

export async function readPartitionEnds(
  admin: Pick<Admin, "fetchTopicOffsets">,
): Promise<PartitionEnds[]> {
  const offsets = await admin.fetchTopicOffsets(TOPICS.usageEvents);
  return offsets
    .map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) }))
    .sort((a, b) => a.partition - b.partition);
}

/**
 * The ends of every partition that the topic has. Null: one was added that the client does not ask
 * for yet; it learns of new ones only every few minutes.
 */
export async function readAllEnds(
  admin: Pick<Admin, "fetchTopicOffsets" | "fetchTopicMetadata">,
): Promise<PartitionEnds[] | null> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [TOPICS.usageEvents] });
  const ends = await readPartitionEnds(admin);
  const known = new Set(ends.map(({ partition }) => partition));
  const partitions = topics.flatMap((topic) => topic.partitions);
  return partitions.every(({ partitionId }) => known.has(partitionId)) ? ends : null;
}

/**
 * True when the books have read all that the partitions held. A partition that they have not begun is
 * not read. One whose messages retention has all deleted is: what is gone cannot come any more.
 */
export function areRead(
  ends: readonly PartitionEnds[],
  places: ReadonlyMap<number, bigint>,
): boolean {
  return ends.every(({ partition, low, high }) => {
    const place = places.get(partition);
    return place !== undefined && (place >= high || low >= high);
  });
}

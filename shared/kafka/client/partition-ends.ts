import type { Admin } from "kafkajs";
import { TOPICS } from "../../core/text/topics.ts";

/** The first and last offsets of a partition of the usage topic. */
export interface PartitionEnds {
  readonly partition: number;
  /** The first offset that retention has kept. */
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
 * The ends of every partition. Null: the client does not know a new partition yet, since it refreshes its
 * metadata only every few minutes.
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
 * Whether the books have read all partitions to their ends. A partition without an offset in the books
 * is unread; one whose messages retention has deleted counts as read.
 */
export function areRead(
  ends: readonly PartitionEnds[],
  offsets: ReadonlyMap<number, bigint>,
): boolean {
  return ends.every(({ partition, low, high }) => {
    const offset = offsets.get(partition);
    return offset !== undefined && (offset >= high || low >= high);
  });
}

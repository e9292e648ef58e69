import type { Kafka } from "kafkajs";
import { type MessageBatch, type PartitionReader, readPartitions } from "./partition-reader.ts";

const FETCHING = {
  // A member that is killed is missed after this long; a batch must take less.
  sessionTimeoutMs: 10_000,
  heartbeatMs: 1_000,
  // Also bounds the memory that messages take.
  maxFetchBytes: 16 << 20,
  maxWaitMs: 250,
};
const COMMIT_EVERY_MS = 1_000;

/**
 * Reads a topic as a member of a group and hands over batches of at most `batchSize` messages, those
 * of all partitions that a fetch brought at once. `handle` returns the offset to read from next, which
 * is all that counts. The group's committed offsets are written at most once a second, for tools that
 * show lag.
 */
export async function runBatchConsumer(
  kafka: Kafka,
  options: {
    groupId: string;
    topic: string;
    batchSize: number;
    /**
     * Where to start reading these partitions; asked after each join, before anything is handled. One
     * that is left out starts where Kafka has it.
     */
    startAt(partitions: readonly number[]): Promise<ReadonlyMap<number, bigint>>;
    handle(batch: MessageBatch, heartbeat: () => Promise<void>): Promise<bigint>;
  },
): Promise<PartitionReader> {
  const committedAt = new Map<number, number>();
  return readPartitions(kafka, {
    ...FETCHING,
    topic: options.topic,
    groupId: options.groupId,
    partitions: await countPartitions(kafka, options.topic),
    maxBatchMessages: options.batchSize,
    startAt: options.startAt,
    async handle(batch, { heartbeat, commit }) {
      const { partition, nextOffset } = batch;
      const next = await options.handle(batch, heartbeat);
      if (next !== nextOffset) return next;
      if (Date.now() - (committedAt.get(partition) ?? 0) >= COMMIT_EVERY_MS) {
        committedAt.set(partition, Date.now());
        await commit(nextOffset);
      }
      return next;
    },
  });
}

async function countPartitions(kafka: Kafka, topic: string): Promise<number> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return Math.max(1, topics[0]?.partitions.length ?? 1);
  } finally {
    await admin.disconnect();
  }
}

import type { Kafka } from "kafkajs";
import type { BatchForm, OffsetStretch } from "./batch-forms.ts";
import { type PartitionReader, readPartitions } from "./partition-reader.ts";

const FETCHING = {
  // Kafka notices a killed member after this long. A batch must take less.
  sessionTimeoutMs: 10_000,
  heartbeatMs: 1_000,
  // Bounds the memory for messages.
  maxFetchBytes: 16 << 20,
  maxWaitMs: 250,
};
const COMMIT_EVERY_MS = 1_000;

/**
 * Reads a topic as a member of a group, in batches of at most `batchSize` messages; partitions are
 * handled concurrently. `handle` returns the offset to read next. Offsets are committed to Kafka at most
 * once a second, only for tools that show lag.
 */
export async function runBatchConsumer<B extends OffsetStretch>(
  kafka: Kafka,
  options: {
    groupId: string;
    topic: string;
    batchSize: number;
    form: BatchForm<B>;
    /** Where to start; called after each join. A partition left out starts at Kafka's offset. */
    startAt(partitions: readonly number[]): Promise<ReadonlyMap<number, bigint>>;
    handle(batch: B, heartbeat: () => Promise<void>): Promise<bigint>;
  },
): Promise<PartitionReader> {
  const committedAt = new Map<number, number>();
  return readPartitions(kafka, {
    ...FETCHING,
    topic: options.topic,
    groupId: options.groupId,
    partitions: await countPartitions(kafka, options.topic),
    maxBatchMessages: options.batchSize,
    form: options.form,
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

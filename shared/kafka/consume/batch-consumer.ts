import type { Kafka } from "kafkajs";
import type { BatchForm, OffsetStretch } from "./batch-forms.ts";
import { groupOffsets } from "./group-offsets.ts";
import { type PartitionReader, readPartitions } from "./partition-reader.ts";

const FETCHING = {
  // Kafka notices a killed member after this long. A batch must take less.
  sessionTimeoutMs: 10_000,
  heartbeatMs: 1_000,
  // Bounds the memory for messages.
  maxFetchBytes: 16 << 20,
  // Kafka answers as soon as it has anything; when it has not, each fetch costs both sides.
  maxWaitMs: 500,
};
const COMMIT_EVERY_MS = 1_000;

/**
 * Reads a topic as a member of a group, in batches of at most `batchSize` messages; partitions are
 * handled concurrently. `handle` returns the offset to read next. Offsets are committed to Kafka at most
 * once a second, only for tools that show lag, and nothing waits for that.
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
  const { topic, groupId } = options;
  const offsets = groupOffsets({
    everyMs: COMMIT_EVERY_MS,
    commit: async (newest) => (await reading).commit(newest),
    onFailed: ({ message }) =>
      kafka.logger().error("could not commit offsets, from which tools compute the group's lag", {
        ...{ topic, groupId, error: message },
      }),
  });
  const partitions = await countPartitions(kafka, topic);
  const reading = readPartitions(kafka, {
    ...FETCHING,
    ...{ topic, groupId, partitions, form: options.form },
    maxBatchMessages: options.batchSize,
    startAt(assigned) {
      offsets.forget();
      return options.startAt(assigned);
    },
    async handle(batch, { heartbeat }) {
      const { partition, nextOffset } = batch;
      const next = await options.handle(batch, heartbeat);
      if (next === nextOffset) offsets.note(partition, next);
      return next;
    },
  });
  const reader = await reading;
  return {
    ended: reader.ended,
    watch: reader.watch,
    goBack: (readStored) => reader.goBack(readStored),
    async stop() {
      await offsets.stop();
      await reader.stop();
    },
  };
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

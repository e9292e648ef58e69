import type { ConsumerEndBatchProcessEvent, EachBatchPayload, Kafka, KafkaMessage } from "kafkajs";

/** A run of messages of one partition, in offset order. */
export interface MessageBatch {
  readonly topic: string;
  readonly partition: number;
  /** Where the fetch began: nothing between here and the first message is missing. */
  readonly fetchedFrom: bigint;
  /** The first offset after the batch; offsets need not be contiguous. */
  readonly nextOffset: bigint;
  /** One past the last offset of the partition when the batch was fetched. */
  readonly highWatermark: bigint;
  readonly messages: readonly KafkaMessage[];
}

/** What to do after a batch: read on, or read from another offset. */
export type Next = { readonly kind: "go_on" } | { readonly kind: "seek"; readonly offset: bigint };

type PassedOver = ConsumerEndBatchProcessEvent["payload"];

export interface BatchConsumer {
  /** Settles when consuming has ended: rejects with what ended it, resolves after `stop`. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** A member that is killed is missed after this long; a batch must take less. */
const SESSION_TIMEOUT_MS = 10_000;
const HEARTBEAT_MS = 1_000;
const COMMIT_EVERY_MS = 1_000;
/** What one fetch brings at most, and with it the memory that messages take. */
const MAX_BYTES = 16 << 20;
const LEAST_SHARE = 64 << 10;
/** As many partitions of a fetch are handed over at once; a fetch follows when all of it was handled. */
const MAX_PARTITIONS_AT_ONCE = 256;
const MAX_WAIT_MS = 250;

/**
 * Reads a topic as a member of a group and hands over batches of at most `batchSize` messages, those
 * of all partitions that a fetch brought at once. What `handle` did is the only truth: it says where
 * to go on. The group's committed offsets are written at most once a second, for tools that show lag.
 */
export async function runBatchConsumer(
  kafka: Kafka,
  options: {
    groupId: string;
    topic: string;
    batchSize: number;
    /** Where to start reading these partitions; asked after each join, before anything is handled. */
    startAt(partitions: readonly number[]): Promise<ReadonlyMap<number, bigint>>;
    handle(batch: MessageBatch, heartbeat: () => Promise<void>): Promise<Next>;
  },
): Promise<BatchConsumer> {
  const partitions = await countPartitions(kafka, options.topic);
  const consumer = kafka.consumer({
    groupId: options.groupId,
    sessionTimeout: SESSION_TIMEOUT_MS,
    heartbeatInterval: HEARTBEAT_MS,
    // Each its share, or the first ones would fill the fetch and the others starve under a backlog.
    maxBytesPerPartition: Math.max(LEAST_SHARE, Math.floor(MAX_BYTES / partitions)),
    maxBytes: MAX_BYTES,
    maxWaitTimeInMs: MAX_WAIT_MS,
    retry: { initialRetryTime: 200, maxRetryTime: 10_000, retries: 5 },
  });
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  ended.catch(() => undefined);
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) reject(payload.error);
  });
  const committedAt = new Map<number, number>();
  // Where each partition goes on, as far as it was moved from here.
  const positions = new Map<number, bigint>();
  let placed: Promise<void> = Promise.resolve();
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    placed = seekTo(payload.memberAssignment[options.topic] ?? []);
    placed.catch(reject);
  });
  // KafkaJS passes over what holds nothing to handle (aborted transactions) without calling eachBatch.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    if (payload.batchSize > 0) return;
    placed = placed.then(() => passOver(payload));
    placed.catch(reject);
  });

  try {
    await consumer.connect();
    await consumer.subscribe({ topic: options.topic, fromBeginning: true });
  } catch (error) {
    await consumer.disconnect().catch(() => undefined);
    throw error;
  }
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: MAX_PARTITIONS_AT_ONCE,
    eachBatch: async (payload) => {
      try {
        await handleFetched(payload);
      } catch (error) {
        if (!isKafkaError(error)) reject(error);
        throw error;
      }
    },
  });
  return {
    ended,
    async stop() {
      await consumer.disconnect();
      resolve();
    },
  };

  async function seekTo(partitions: readonly number[]): Promise<void> {
    for (const [partition, offset] of await options.startAt(partitions)) {
      positions.set(partition, offset);
      consumer.seek({ topic: options.topic, partition, offset: offset.toString() });
    }
  }

  async function passOver({ topic, partition, highWatermark, lastOffset }: PassedOver) {
    const nextOffset = BigInt(lastOffset) + 1n;
    const fetchedFrom = positions.get(partition) ?? nextOffset;
    const next = await options.handle(
      {
        topic,
        partition,
        fetchedFrom,
        nextOffset,
        highWatermark: BigInt(highWatermark),
        messages: [],
      },
      async () => undefined,
    );
    follow(next, topic, partition, nextOffset);
  }

  /** Goes on after `nextOffset`, or where the handler says; tells whether it has to jump. */
  function follow(next: Next, topic: string, partition: number, nextOffset: bigint): boolean {
    const offset = next.kind === "seek" ? next.offset : nextOffset;
    positions.set(partition, offset);
    if (next.kind === "seek") consumer.seek({ topic, partition, offset: offset.toString() });
    return next.kind === "seek";
  }

  async function handleFetched(payload: EachBatchPayload): Promise<void> {
    await placed;
    const { batch, heartbeat, resolveOffset, isRunning, isStale } = payload;
    for (const part of split(payload, options.batchSize)) {
      if (!isRunning() || isStale()) return;
      const next = await options.handle(part, heartbeat);
      if (follow(next, batch.topic, batch.partition, part.nextOffset)) return;
      resolveOffset((part.nextOffset - 1n).toString());
      await heartbeat();
      await commit(payload, part.nextOffset);
    }
  }

  async function commit({ batch, commitOffsetsIfNecessary }: EachBatchPayload, offset: bigint) {
    const { topic, partition } = batch;
    if (Date.now() - (committedAt.get(partition) ?? 0) < COMMIT_EVERY_MS) return;
    committedAt.set(partition, Date.now());
    await commitOffsetsIfNecessary({
      topics: [{ topic, partitions: [{ partition, offset: offset.toString() }] }],
    });
  }
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

function* split({ batch }: EachBatchPayload, size: number): Generator<MessageBatch> {
  const { topic, partition, messages } = batch;
  let fetchedFrom = fetchedOffsetOf(batch);
  for (let at = 0; at < messages.length; at += size) {
    const part = messages.slice(at, at + size);
    const first = messages[at + size];
    const nextOffset = BigInt(first === undefined ? batch.lastOffset() : first.offset);
    yield {
      topic,
      partition,
      fetchedFrom,
      nextOffset: first === undefined ? nextOffset + 1n : nextOffset,
      highWatermark: BigInt(batch.highWatermark),
      messages: part,
    };
    fetchedFrom = nextOffset;
  }
}

/** The offset asked for; KafkaJS has it on its batches, its types do not. */
function fetchedOffsetOf(batch: EachBatchPayload["batch"]): bigint {
  const { fetchedOffset } = batch as typeof batch & { fetchedOffset: string };
  return BigInt(fetchedOffset);
}

function isKafkaError(error: unknown): boolean {
  return error instanceof Error && error.name.startsWith("KafkaJS");
}

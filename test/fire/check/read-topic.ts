import { randomUUID } from "node:crypto";
import { Kafka, logLevel } from "kafkajs";

export interface TopicRecord {
  readonly partition: number;
  readonly offset: bigint;
  readonly key: string | null;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** For the next piece. */
const WITHIN_MS = 60_000;
/** A partition comes in few pieces, none of them with a marker alone. */
const BYTES_AT_ONCE = 64 << 20;

/** A plain client beside the faults. */
export function plainKafka(brokers: string): Kafka {
  return new Kafka({
    clientId: "fire-check",
    brokers: brokers.split(","),
    logLevel: logLevel.NOTHING,
  });
}

/** Everything on a topic, up to its ends of now, each partition in order. */
export async function readTopic(kafka: Kafka, topic: string): Promise<TopicRecord[]> {
  const left = await unreadOf(kafka, topic);
  const records: TopicRecord[] = [];
  if (left.size === 0) return records;
  const done = Promise.withResolvers<void>();
  const consumer = kafka.consumer({
    groupId: `fire-check-${randomUUID()}`,
    maxBytesPerPartition: BYTES_AT_ONCE,
  });
  const late = setTimeout(() => done.reject(new Error(`${topic} could not be read`)), WITHIN_MS);
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        late.refresh();
        const { partition, messages } = batch;
        for (const { offset, key, value, headers = {} } of messages) {
          records.push({
            ...{ partition, offset: BigInt(offset), key: key === null ? null : String(key) },
            value: value ?? Buffer.alloc(0),
            headers: Object.fromEntries(
              Object.entries(headers).map(([name, text]) => [name, String(text)]),
            ),
          });
        }
        // The last offset may be that of a transaction's marker, which is no message.
        if (BigInt(batch.lastOffset()) + 1n < (left.get(partition) ?? 0n)) return;
        left.delete(partition);
        if (left.size === 0) done.resolve();
      },
    });
    await done.promise;
    return records;
  } finally {
    clearTimeout(late);
    await consumer.disconnect();
  }
}

/** The end of each partition that holds anything. */
async function unreadOf(kafka: Kafka, topic: string): Promise<Map<number, bigint>> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsets(topic);
    return new Map(
      offsets
        .filter(({ low, high }) => BigInt(high) > BigInt(low))
        .map(({ partition, high }) => [partition, BigInt(high)]),
    );
  } finally {
    await admin.disconnect();
  }
}

import { randomUUID } from "node:crypto";
import kafkajs, { type Kafka, type Producer } from "kafkajs";
import { openKafka } from "../../../shared/kafka/client/kafka-client.ts";
import type { TopicSchema } from "../../../shared/kafka/codec/schemas.ts";
import { createLogger } from "../../../shared/runtime/logger.ts";
import { readSettings } from "../../../shared/runtime/settings.ts";

/** Silent: failures that a test expects are not logged. */
export const silent = createLogger("test", "silent");

export function testKafka(env: NodeJS.ProcessEnv = process.env): Kafka {
  return openKafka(readSettings(env).kafka, "drawdown-test", silent);
}

/** A producer that sends raw bytes. */
export async function rawProducer(kafka: Kafka): Promise<Producer> {
  const producer = kafka.producer({
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    retry: { retries: 10 },
  });
  await producer.connect();
  return producer;
}

/** A record as a downstream service sees it. */
interface Received<R> {
  readonly key: string | null;
  readonly sequence: string | null;
  readonly record: R;
}

export interface Collector<R> {
  /** Everything published to the topic so far, in order per partition. */
  readonly received: readonly Received<R>[];
  stop(): Promise<void>;
}

/** Reads a topic from its beginning, as a consumer downstream would. `R` is the schema's record. */
export async function collectTopic<R>(kafka: Kafka, schema: TopicSchema): Promise<Collector<R>> {
  const received: Received<R>[] = [];
  const consumer = kafka.consumer({ groupId: `test-${randomUUID()}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic: schema.topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message: { key, value, headers } }) => {
      const record = value === null ? null : readOrNull<R>(schema, value);
      if (record === null) return;
      received.push({
        key: key?.toString() ?? null,
        sequence: headers?.["sequence"]?.toString() ?? null,
        record,
      });
    },
  });
  return { received, stop: () => consumer.disconnect() };
}

/** The topics are shared: other test files publish what no schema can read. */
function readOrNull<R>(schema: TopicSchema, value: Buffer): R | null {
  try {
    return schema.type.fromBuffer(value.subarray(5)) as R;
  } catch {
    return null;
  }
}

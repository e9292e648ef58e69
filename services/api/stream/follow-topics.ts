import { randomUUID } from "node:crypto";
import type { SchemaRegistry } from "@kafkajs/confluent-schema-registry";
import type { Kafka, KafkaMessage } from "kafkajs";
import { TOPICS } from "../../../shared/core/topics.ts";

/** What a topic tells of an account. */
export interface Told {
  readonly topic: string;
  readonly accountId: string;
  readonly sequence: bigint;
  readonly record: Readonly<Record<string, unknown>>;
}

export interface FollowedTopics {
  /** Rejects with what ended it; resolves after `stop`. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

const FOLLOWED = [TOPICS.balances, TOPICS.credits, TOPICS.topUps];
const MAX_WAIT_MS = 100;
const MAX_BYTES = 4 << 20;

/**
 * Reads what the billing topics tell from now on, once for the whole process and however many listen.
 * It keeps no place: what was told while it was away is gone for it, which `onGap` says.
 */
export async function followTopics(
  kafka: Kafka,
  registry: SchemaRegistry,
  listener: { onTold(told: Told): void; onGap(): void },
): Promise<FollowedTopics> {
  const consumer = kafka.consumer({
    groupId: `api-${randomUUID()}`,
    maxWaitTimeInMs: MAX_WAIT_MS,
    maxBytes: MAX_BYTES,
    retry: { initialRetryTime: 200, maxRetryTime: 10_000, retries: 5 },
  });
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  ended.catch(() => undefined);
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) reject(payload.error);
  });
  consumer.on(consumer.events.GROUP_JOIN, () => listener.onGap());
  await consumer.connect();
  await consumer.subscribe({ topics: FOLLOWED, fromBeginning: false });
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: FOLLOWED.length,
    eachMessage: async ({ topic, message }) => {
      const told = await read(topic, message);
      if (told !== null) listener.onTold(told);
    },
  });
  return {
    ended,
    async stop() {
      await consumer.disconnect();
      resolve();
    },
  };

  async function read(topic: string, { key, value, headers }: KafkaMessage): Promise<Told | null> {
    const sequence = headers?.["sequence"]?.toString();
    if (key === null || value === null || sequence === undefined) return null;
    const record: unknown = await registry.decode(value);
    if (typeof record !== "object" || record === null) return null;
    return { topic, accountId: key.toString(), sequence: BigInt(sequence), record: { ...record } };
  }
}

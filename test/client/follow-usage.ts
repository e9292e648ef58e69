import { randomUUID } from "node:crypto";
import type { Kafka } from "kafkajs";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";

/** A usage event as stored in Kafka. */
interface KeptUsage {
  readonly partition: number;
  readonly key: string | undefined;
  readonly value: Buffer;
  readonly record: {
    readonly event_id: string;
    readonly account_id: string;
    readonly meter: string;
    readonly quantity: bigint;
    readonly occurred_at: number;
    readonly source: string;
    readonly dimensions: Readonly<Record<string, string>>;
  };
}

export interface UsageFollower {
  /** Everything published to `usage.events` so far, in order per partition. */
  readonly kept: readonly KeptUsage[];
  /** One account's events, in order. */
  of(accountId: string): KeptUsage[];
  stop(): Promise<void>;
}

/** Reads `usage.events` from its beginning and keeps reading. */
export async function followUsage(kafka: Kafka): Promise<UsageFollower> {
  const kept: KeptUsage[] = [];
  const consumer = kafka.consumer({ groupId: `test-${randomUUID()}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic: TOPICS.usageEvents, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message: { key, value } }) => {
      if (value === null) throw new Error("a message without a value");
      const record = SCHEMAS.usageEvents.type.fromBuffer(value.subarray(5)) as KeptUsage["record"];
      kept.push({ partition, key: key?.toString(), value, record });
    },
  });
  return {
    kept,
    of: (accountId) => kept.filter(({ record }) => record.account_id === accountId),
    stop: () => consumer.disconnect(),
  };
}

import type { SchemaRegistry } from "@kafkajs/confluent-schema-registry";
import kafkajs, { type Kafka, type Producer } from "kafkajs";
import { type Encode, openEncoder } from "./encoder.ts";
import { SCHEMAS } from "./schemas.ts";

/** A record on its way to a topic. `sequence` counts up per key and topic, for readers to drop repeats by. */
export interface Outgoing {
  readonly topic: string;
  readonly key: string | null;
  readonly sequence: bigint | null;
  readonly record: Readonly<Record<string, unknown>>;
}

export interface Publisher {
  /** Resolves when every in-sync replica has all of them. After an error some may be written: publish again. */
  publish(records: readonly Outgoing[]): Promise<void>;
  close(): Promise<void>;
}

/** Publishes records with an idempotent producer, made anew after an error since its sequence may be broken. */
export function openPublisher(kafka: Kafka, registry: SchemaRegistry): Publisher {
  const encoders = new Map<string, Encode>();
  let connected: Promise<Producer> | null = null;

  async function connect(): Promise<Producer> {
    const producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      // The hash of Kafka's Java client, so that an account's records of any client meet on one partition.
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    return producer;
  }

  async function encoderOf(topic: string): Promise<Encode> {
    const known = encoders.get(topic);
    if (known !== undefined) return known;
    const schema = Object.values(SCHEMAS).find((candidate) => candidate.topic === topic);
    if (schema === undefined) throw new Error(`there is no schema for topic ${topic}`);
    const encoder = await openEncoder(registry, schema);
    encoders.set(topic, encoder);
    return encoder;
  }

  async function disconnect(): Promise<void> {
    const producer = await connected?.catch(() => null);
    connected = null;
    await producer?.disconnect();
  }

  return {
    async publish(records) {
      const byTopic = new Map<
        string,
        { key: string | null; value: Buffer; headers: { sequence?: string } }[]
      >();
      for (const { topic, key, sequence, record } of records) {
        const encode = await encoderOf(topic);
        const messages = byTopic.get(topic) ?? [];
        byTopic.set(topic, messages);
        messages.push({
          key,
          value: encode(record),
          headers: sequence === null ? {} : { sequence: sequence.toString() },
        });
      }
      try {
        connected ??= connect();
        const producer = await connected;
        await producer.sendBatch({
          acks: -1,
          topicMessages: [...byTopic].map(([topic, messages]) => ({ topic, messages })),
        });
      } catch (error) {
        await disconnect().catch(() => undefined);
        throw error;
      }
    },
    close: disconnect,
  };
}

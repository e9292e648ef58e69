import kafkajs, {
  type Kafka,
  type Producer,
  type ProducerBatch,
  type ProducerConfig,
} from "kafkajs";
import { TRACEPARENT } from "../../runtime/tracing/trace-context.ts";
import { type Encode, openEncoder } from "../codec/encoder.ts";
import type { Registry } from "../codec/registry.ts";
import { SCHEMAS, type TopicSchema } from "../codec/schemas.ts";
import { QUICK_GZIP } from "../patches/quick-gzip.ts";
import { quicklyGrouped, quickPartitioner } from "../patches/quick-partitions.ts";

/** A record to publish. `sequence` rises per key and topic, so that readers can drop repeats. */
export interface Outgoing {
  readonly topic: string;
  readonly key: string | null;
  readonly sequence: bigint | null;
  readonly record: Readonly<Record<string, unknown>>;
  /** The context of the trace that it belongs to, for its headers; null: none. */
  readonly traceparent?: string | null;
}

/** A message to publish as it is. */
export interface RawMessage {
  readonly topic: string;
  readonly key: string | Buffer | null;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

// KafkaJS sends a partition's messages as one batch, and a broker accepts batches of up to a MiB.
const MAX_REQUEST_BYTES = 900_000;
const OVERHEAD_BYTES = 100;
/** About ten events. A batch of a few is no smaller compressed, and costs more. */
const LEAST_COMPRESSED_BYTES = 2_000;

export interface Publisher {
  /** Resolves when all in-sync replicas have the records. After an error some may: publish all again. */
  publish(records: readonly (Outgoing | RawMessage)[]): Promise<void>;
  close(): Promise<void>;
}

/** Publishes records with an idempotent producer, replaced after an error: its sequence may be broken. */
export function openPublisher(kafka: Kafka, registry: Pick<Registry, "register">): Publisher {
  const requestsOf = openRequests(registry);
  let connected: Promise<Producer> | null = null;

  async function disconnect(): Promise<void> {
    const producer = await connected?.catch(() => null);
    connected = null;
    await producer?.disconnect();
  }

  async function send(request: ProducerBatch): Promise<void> {
    try {
      connected ??= connect(kafka, { idempotent: true });
      const producer = await connected;
      await producer.sendBatch(request);
    } catch (error) {
      await disconnect().catch(() => undefined);
      throw error;
    }
  }

  return {
    async publish(records) {
      for await (const request of requestsOf(records)) await send(request);
    },
    close: disconnect,
  };
}

/** Encodes records into requests that a broker accepts, in order. */
export function openRequests(
  registry: Pick<Registry, "register">,
): (records: readonly (Outgoing | RawMessage)[]) => AsyncGenerator<ProducerBatch> {
  const encode = encoders(registry);
  return async function* (records) {
    let messages: RawMessage[] = [];
    let bytes = 0;
    for (const record of records) {
      const message = "value" in record ? record : await encode(record);
      const { key, value } = message;
      const size = value.length + Buffer.byteLength(key ?? "") + OVERHEAD_BYTES;
      if (messages.length > 0 && bytes + size > MAX_REQUEST_BYTES) {
        yield requestOf(messages, bytes);
        messages = [];
        bytes = 0;
      }
      messages.push(message);
      bytes += size;
    }
    if (messages.length > 0) yield requestOf(messages, bytes);
  };
}

function requestOf(messages: readonly RawMessage[], bytes: number): ProducerBatch {
  const topics = new Set(messages.map(({ topic }) => topic));
  return {
    acks: -1,
    compression: compressionOf(bytes),
    topicMessages: [...topics].map((topic) => ({
      topic,
      messages: quicklyGrouped(messages.filter((message) => message.topic === topic)),
    })),
  };
}

/**
 * Gzip, the one compression that every client library reads without an addition. A record larger than a
 * broker accepts stays as it is, so that it is refused, and unpacks in no reader.
 */
function compressionOf(bytes: number): kafkajs.CompressionTypes {
  const isWorthIt = bytes >= LEAST_COMPRESSED_BYTES && bytes <= MAX_REQUEST_BYTES;
  return isWorthIt ? QUICK_GZIP : kafkajs.CompressionTypes.None;
}

/** A connected producer of ordered requests. */
export async function connect(kafka: Kafka, config: ProducerConfig): Promise<Producer> {
  const producer = kafka.producer({
    ...config,
    maxInFlightRequests: 1,
    createPartitioner: quickPartitioner,
  });
  await producer.connect();
  return producer;
}

/** Encodes records, registering the schema of each topic at its first record. */
function encoders(registry: Pick<Registry, "register">): (record: Outgoing) => Promise<RawMessage> {
  const opened = new Map<string, Encode>();
  return async ({ topic, key, sequence, record, traceparent = null }) => {
    const encode = opened.get(topic) ?? (await openEncoder(registry, schemaOfTopic(topic)));
    opened.set(topic, encode);
    const headers = {
      ...(sequence !== null && { sequence: sequence.toString() }),
      ...(traceparent !== null && { [TRACEPARENT]: traceparent }),
    };
    return { topic, key, value: encode(record), headers };
  };
}

function schemaOfTopic(topic: string): TopicSchema {
  const schema = Object.values(SCHEMAS).find((candidate) => candidate.topic === topic);
  if (schema === undefined) throw new Error(`there is no schema for topic ${topic}`);
  return schema;
}

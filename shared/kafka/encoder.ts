import type { SchemaRegistry } from "@kafkajs/confluent-schema-registry";
import { registerSchema } from "./registry.ts";
import type { TopicSchema } from "./schemas.ts";

/** In front of every Avro record: a zero byte and the schema's id, four bytes, big-endian. */
export const HEADER_BYTES = 5;

/** Writes records of one topic as Kafka message values. Throws a TypeError for a record that is not of the schema. */
export type Encode = (record: Readonly<Record<string, unknown>>) => Buffer;

/** An encoder for a topic; its schema is registered if it is not yet. */
export async function openEncoder(registry: SchemaRegistry, schema: TopicSchema): Promise<Encode> {
  const id = await registerSchema(registry, schema);
  let size = 256;
  return (record) => {
    for (;;) {
      const bytes = Buffer.allocUnsafe(size);
      bytes[0] = 0;
      bytes.writeInt32BE(id, 1);
      const end = schema.type.encode(record, bytes, HEADER_BYTES);
      if (end >= 0) return bytes.subarray(0, end);
      size = HEADER_BYTES + size - end;
    }
  };
}

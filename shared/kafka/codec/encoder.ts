import type { SchemaRegistry } from "@kafkajs/confluent-schema-registry";
import { registerSchema } from "./registry.ts";
import type { TopicSchema } from "./schemas.ts";

/** In front of every Avro record: a zero byte and the schema's id, four bytes, big-endian. */
export const HEADER_BYTES = 5;

/** Encodes a record as a Kafka message's value. Throws for one that is not of the schema. */
export type Encode = (record: Readonly<Record<string, unknown>>) => Buffer;

/** The encoder of a topic, whose schema is registered first. */
export async function openEncoder(registry: SchemaRegistry, schema: TopicSchema): Promise<Encode> {
  const id = await registerSchema(registry, schema);
  let scratch = Buffer.allocUnsafe(1024);
  return (record) => {
    for (;;) {
      const end = schema.type.encode(record, scratch, HEADER_BYTES);
      if (end >= 0) {
        scratch[0] = 0;
        scratch.writeInt32BE(id, 1);
        return Buffer.from(scratch.subarray(0, end));
      }
      scratch = Buffer.allocUnsafe(scratch.length - end);
    }
  };
}

import type { Registry } from "./registry.ts";
import { HEADER_BYTES, type TopicSchema } from "./schemas.ts";

/** Encodes a record as a Kafka message's value. Throws if it does not fit the schema. */
export type Encode = (record: Readonly<Record<string, unknown>>) => Buffer;

/** Registers a topic's schema and returns its encoder. */
export async function openEncoder(registry: Registry, schema: TopicSchema): Promise<Encode> {
  const id = await registry.register(schema);
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

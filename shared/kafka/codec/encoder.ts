import type { Registry } from "./registry.ts";
import { HEADER_BYTES, type TopicSchema } from "./schemas.ts";

/** A record that its topic's schema refuses. */
export class NotOfSchema extends Error {}

/** Encodes a record as a Kafka message's value. Throws NotOfSchema. */
export type Encode = (record: Readonly<Record<string, unknown>>) => Buffer;

/** Registers a topic's schema and returns its encoder. */
export async function openEncoder(
  registry: Pick<Registry, "register">,
  schema: TopicSchema,
): Promise<Encode> {
  const id = await registry.register(schema);
  let scratch = Buffer.allocUnsafe(1024);
  return (record) => {
    for (;;) {
      const end = encode(schema, record, scratch);
      if (end >= 0) {
        scratch[0] = 0;
        scratch.writeInt32BE(id, 1);
        return Buffer.from(scratch.subarray(0, end));
      }
      scratch = Buffer.allocUnsafe(scratch.length - end);
    }
  };
}

function encode({ topic, type }: TopicSchema, record: unknown, into: Buffer): number {
  try {
    return type.encode(record, into, HEADER_BYTES);
  } catch (error) {
    throw new NotOfSchema(`not a record of ${topic}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

import type avro from "avsc";
import type { ReceivedEvent, Rejection } from "../../core/usage/usage-event.ts";
import { readBounded } from "../patches/bounded-tap.ts";
import { type Registry, RegistryUnavailable } from "./registry.ts";
import { HEADER_BYTES, SCHEMAS } from "./schemas.ts";

/** Reads usage events written with any compatible schema. */
export interface UsageDecoder {
  /** Loads the schemas of these values, as far as the registry has them. Throws RegistryUnavailable. */
  learn(values: Iterable<Buffer | null>): Promise<void>;
  /** The event in a value, or why it cannot be read. Call `learn` first. */
  decode(value: Buffer | null, partition: number, offset: bigint): ReceivedEvent | Rejection;
}

interface Fields {
  readonly event_id: string;
  readonly account_id: string;
  readonly meter: string;
  readonly quantity: bigint;
  readonly occurred_at: number;
  readonly source: string;
  readonly dimensions: Record<string, string>;
}

/** Converts records of one schema id; null: the schema is the current one. */
type Reader = { readonly resolver: avro.Resolver | null } | Rejection;

/** Keeps the resolver of each schema: building one costs as much as ten thousand decodings. */
export function openUsageDecoder(registry: Registry): UsageDecoder {
  const { type } = SCHEMAS.usageEvents;
  const readers = new Map<number, Reader>();

  return {
    async learn(values) {
      const unknown = new Set<number>();
      for (const value of values) {
        const id = schemaIdOf(value);
        if (id !== null && !readers.has(id)) unknown.add(id);
      }
      for (const id of unknown) {
        const reader = await readerFor(registry, id);
        if (reader !== null) readers.set(id, reader);
      }
    },

    decode(value, partition, offset) {
      if (value === null || value.length === 0) return unreadable("the message has no value");
      const id = schemaIdOf(value);
      if (id === null) return unreadable("the value does not start with a schema id");
      const reader = readers.get(id);
      if (reader === undefined) {
        return { reason: "unknown_schema", detail: `the registry has no schema ${id}` };
      }
      if ("reason" in reader) return reader;
      try {
        const read = readBounded(reader.resolver ?? type, value, HEADER_BYTES);
        if (read.end !== value.length) return unreadable("bytes are missing or left over");
        return toReceivedEvent(read.value as Fields, partition, offset);
      } catch (error) {
        return unreadable(`schema ${id}: ${(error as Error).message}`);
      }
    },
  };
}

function toReceivedEvent(fields: Fields, partition: number, offset: bigint): ReceivedEvent {
  return {
    partition,
    offset,
    eventId: fields.event_id,
    accountId: fields.account_id,
    meter: fields.meter,
    quantity: fields.quantity,
    occurredAt: fields.occurred_at,
    source: fields.source,
    dimensions: fields.dimensions,
  };
}

function schemaIdOf(value: Buffer | null): number | null {
  if (value === null || value.length < HEADER_BYTES || value[0] !== 0) return null;
  return value.readInt32BE(1);
}

/** Null: the registry has no such schema yet; it is requested again for the next batch. */
async function readerFor(registry: Registry, id: number): Promise<Reader | null> {
  const { type } = SCHEMAS.usageEvents;
  let writer: avro.Type | null;
  try {
    writer = await registry.schemaOf(id);
  } catch (error) {
    if (error instanceof RegistryUnavailable) throw error;
    return unreadable(`schema ${id} is not usable: ${(error as Error).message}`);
  }
  if (writer === null) return null;
  try {
    return { resolver: writer.equals(type) ? null : type.createResolver(writer) };
  } catch (error) {
    return unreadable(`schema ${id} is not one of usage events: ${(error as Error).message}`);
  }
}

function unreadable(detail: string): Rejection {
  return { reason: "unreadable", detail };
}

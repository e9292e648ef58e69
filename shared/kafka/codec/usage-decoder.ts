import avro from "avsc";
import type { ReceivedEvent, Rejection } from "../../core/usage/usage-event.ts";
import { forEachConcurrently } from "../../runtime/for-each-concurrently.ts";
import { RepeatedKey } from "../patches/bounded-map.ts";
import { readBounded } from "../patches/bounded-tap.ts";
import { refusalOf } from "../records/refused-batch.ts";
import { SchemaFailing, SchemaUnserved } from "./failing-schemas.ts";
import {
  type ForeignUsage,
  NO_INSTANT,
  readForeignUsage,
  type UsageFields,
} from "./foreign-usage.ts";
import { type Registry, RegistryUnavailable } from "./registry.ts";
import { HEADER_BYTES, instantUnitOf, SCHEMAS, typeHook } from "./schemas.ts";

/** Reads usage events written with any compatible schema. */
export interface UsageDecoder {
  /** Loads the schemas of these values, as far as the registry has them. Throws RegistryUnavailable. */
  learn(values: Iterable<Buffer | null>, learning?: Learning): Promise<void>;
  /** The event in a value, or why it cannot be read. Call `learn` first. */
  decode(value: Buffer | null, partition: number, offset: bigint): ReceivedEvent | Rejection;
  /** How records of a schema are laid out, once `learn` has met it; null: it is neither of ours. */
  layoutOf(schemaId: number): UsageLayout | null;
}

/** That of the current schema; of the one before it, without holds; of the first one, without further meters too. */
export type UsageLayout = "with_hold" | "several_meters" | "one_meter";

interface Learning {
  /**
   * When the values had been received, by `performance.now()`; by default now. A schema is registered
   * before a message of it is published: if the registry is asked later than this and does not have it,
   * it never had it in time. What it lacked earlier says nothing, so then it is asked again.
   */
  readonly receivedAt?: number;
  /** Called after each answer of the registry. */
  heartbeat?(): Promise<void>;
}

/** Reads records of one schema id; `foreign` null: the schema is the current one. */
type Reader =
  | { readonly foreign: ForeignUsage | null; readonly layout: UsageLayout | null }
  | Rejection;

/** A schema that the registry does not have or serve. */
interface Miss {
  /** By `performance.now()`. */
  readonly askedAt: number;
  readonly detail: string;
}

const CONCURRENT_LOOKUPS = 16;
const MOST_READERS = 500;
const MOST_MISSES = 20_000;
/** Between the end of a call of `learn` and the decoding that follows it no more than these can end. */
const CALLS_KEPT = 16;
const MOST_DETAIL = 500;
/** What avsc says of a long beyond 2^53 that is read as a number; `occurred_at` alone is. */
const INEXACT = "potential precision loss";

/** Keeps the resolvers of recent schemas: building one costs as much as ten thousand decodings. */
export function openUsageDecoder(registry: Registry): UsageDecoder {
  const { type } = SCHEMAS.usageEvents;
  /** In the order of their last use, each with the number of the call that used it. */
  const readers = new Map<number, { readonly reader: Reader; readonly usedIn: number }>();
  const misses = new Map<number, Miss>();
  let calls = 0;

  return {
    async learn(values, { receivedAt = performance.now(), heartbeat } = {}) {
      const ids = schemaIdsOf(values);
      for (;;) {
        const unknown = ids.filter(
          (id) =>
            !readers.has(id) && (misses.get(id)?.askedAt ?? Number.NEGATIVE_INFINITY) < receivedAt,
        );
        if (unknown.length === 0) break;
        // All are asked for before one that fails ends the attempt, so that their time runs together.
        const failing: SchemaFailing[] = [];
        await forEachConcurrently(unknown, CONCURRENT_LOOKUPS, async (id) => {
          const failure = await lookUp(id);
          if (failure !== null) failing.push(failure);
          await heartbeat?.();
        });
        if (failing[0] !== undefined) throw failing[0];
      }
      calls += 1;
      for (const id of ids) use(id);
      forget();
    },

    decode(value, partition, offset) {
      const refusal = value === null ? null : refusalOf(value);
      if (refusal !== null) return unreadable(refusal);
      if (value === null || value.length === 0) return unreadable("the message has no value");
      const id = schemaIdOf(value);
      if (id === null) return unreadable("the value does not start with a schema id");
      const reader = readers.get(id)?.reader;
      if (reader === undefined) return unknownSchema(id);
      if ("reason" in reader) return reader;
      try {
        return decodeWith(reader.foreign, value, partition, offset);
      } catch (error) {
        return rejectionOf(error as Error, id);
      }
    },

    layoutOf(schemaId) {
      const reader = readers.get(schemaId)?.reader;
      return reader === undefined || "reason" in reader ? null : reader.layout;
    },
  };

  function decodeWith(
    foreign: ForeignUsage | null,
    value: Buffer,
    partition: number,
    offset: bigint,
  ): ReceivedEvent | Rejection {
    const read = readBounded(foreign?.resolver ?? type, value, HEADER_BYTES);
    if (read.end !== value.length) return unreadable("bytes are missing or left over");
    const fields = foreign === null ? (read.value as UsageFields) : foreign.toFields(read.value);
    return toReceivedEvent(fields, partition, offset);
  }

  /** Returns why the registry has to be asked again for this schema alone. */
  async function lookUp(id: number): Promise<SchemaFailing | null> {
    const askedAt = performance.now();
    try {
      const reader = await readerFor(registry, id);
      if (reader === null) misses.set(id, { askedAt, detail: noSchema(id) });
      else readers.set(id, { reader, usedIn: calls });
    } catch (error) {
      if (error instanceof SchemaFailing) return error;
      if (!(error instanceof SchemaUnserved)) throw error;
      misses.set(id, { askedAt, detail: error.message });
    }
    return null;
  }

  function unknownSchema(id: number): Rejection {
    return { reason: "unknown_schema", detail: misses.get(id)?.detail ?? noSchema(id) };
  }

  function use(id: number): void {
    const known = readers.get(id);
    if (known === undefined) return;
    readers.delete(id);
    readers.set(id, { reader: known.reader, usedIn: calls });
  }

  /** Forgets the schemas used longest ago, but none that may yet be decoded with. */
  function forget(): void {
    for (const [id, { usedIn }] of readers) {
      if (readers.size <= MOST_READERS || usedIn > calls - CALLS_KEPT) break;
      readers.delete(id);
    }
    for (const id of misses.keys()) {
      if (misses.size <= MOST_MISSES) break;
      misses.delete(id);
    }
  }
}

/** Those of our schemas by layout, the current one first. Each has a field more than the one before it. */
const LAYOUTS: readonly (readonly [UsageLayout, avro.Type])[] = [
  ["with_hold", SCHEMAS.usageEvents.type],
  ["several_meters", typeWithout(1)],
  ["one_meter", typeWithout(2)],
];

/** The current schema without its last fields. */
function typeWithout(count: number): avro.Type {
  const schema = JSON.parse(SCHEMAS.usageEvents.text) as { readonly fields: readonly object[] };
  const fields = schema.fields.slice(0, -count);
  return avro.Type.forSchema({ ...schema, fields } as avro.Schema, { typeHook });
}

/** A registry has no negative ids. */
function schemaIdsOf(values: Iterable<Buffer | null>): number[] {
  const ids = new Set<number>();
  for (const value of values) {
    const id = schemaIdOf(value);
    if (id !== null && id >= 0) ids.add(id);
  }
  return [...ids];
}

function toReceivedEvent(fields: UsageFields, partition: number, offset: bigint): ReceivedEvent {
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
    quantities: fields.quantities,
    holdId: fields.hold_id,
  };
}

function noSchema(id: number): string {
  return `the registry has no schema ${id}`;
}

function schemaIdOf(value: Buffer | null): number | null {
  if (value === null || value.length < HEADER_BYTES || value[0] !== 0) return null;
  return value.readInt32BE(1);
}

/** Null: the registry has no such schema. */
async function readerFor(registry: Registry, id: number): Promise<Reader | null> {
  let writer: avro.Type | null;
  try {
    writer = await registry.schemaOf(id);
  } catch (error) {
    if (error instanceof RegistryUnavailable || error instanceof SchemaUnserved) throw error;
    return unreadable(`schema ${id} is not usable: ${(error as Error).message}`);
  }
  if (writer === null) return null;
  try {
    const [layout = null] = LAYOUTS.find(([, type]) => isOurs(writer, type)) ?? [];
    return { foreign: layout === "with_hold" ? null : readForeignUsage(writer), layout };
  } catch (error) {
    return unreadable(`schema ${id} is not one of usage events: ${(error as Error).message}`);
  }
}

/** To avsc, types that differ in what their numbers stand for are equal. */
function isOurs(writer: avro.Type, ours: avro.Type): boolean {
  if (!(writer instanceof avro.types.RecordType) || !writer.equals(ours)) return false;
  const time = writer.fields.find(({ name }) => name === "occurred_at");
  return time !== undefined && instantUnitOf(time.type) === 1n;
}

function rejectionOf({ message, cause }: Error, schemaId: number): Rejection {
  // The only map of numbers that is read is that of quantities.
  if (cause instanceof RepeatedKey) {
    const meter = cause.key.slice(0, MOST_DETAIL);
    return { reason: "malformed", detail: `meter ${meter} is named twice in quantities` };
  }
  return unreadable(`schema ${schemaId}: ${message === INEXACT ? NO_INSTANT : message}`);
}

/** An error of avsc may hold all of a schema; a copy of its beginning does not keep the rest in memory. */
function unreadable(detail: string): Rejection {
  if (detail.length <= MOST_DETAIL) return { reason: "unreadable", detail };
  return { reason: "unreadable", detail: Buffer.from(detail.slice(0, MOST_DETAIL)).toString() };
}

import type avro from "avsc";
import type { KafkaMessage } from "kafkajs";
import type { AccountId } from "../../core/line/account.ts";
import { readBounded } from "../patches/bounded-tap.ts";
import { SchemaUnserved } from "./failing-schemas.ts";
import { readKey } from "./read-key.ts";
import { type Registry, RegistryUnavailable } from "./registry.ts";
import { HEADER_BYTES, type TopicSchema } from "./schemas.ts";
import { readSequence } from "./sequence-header.ts";

/** A record of a billing topic, in the fields of its schema. */
export interface BillingRecord<Fields> {
  readonly accountId: AccountId;
  readonly sequence: bigint;
  readonly fields: Fields;
}

/** A record that no reader of its topic can use. */
export interface UnreadableRecord {
  /** Null: its key names no account. */
  readonly accountId: AccountId | null;
  /** A part of a sentence: "it has no key". */
  readonly problem: string;
}

/** Reads a record. Throws RegistryUnavailable, and nothing else. */
export type ReadBillingRecord<Fields> = (
  message: Pick<KafkaMessage, "key" | "value" | "headers">,
) => Promise<BillingRecord<Fields> | UnreadableRecord>;

type Reader = { readonly resolver: avro.Resolver } | { readonly problem: string };

const MOST_READERS = 500;

/** Reads a value in the fields of a topic's schema. Throws RegistryUnavailable, and nothing else. */
type ReadValue<Fields> = (value: Buffer | null) => Promise<Fields | { readonly problem: string }>;

/**
 * A reader of one topic's records. `Fields` are those of the topic's schema, which every record is
 * converted to, so that no record has fields of another type.
 */
export function openBillingReader<Fields extends { readonly account_id: string }>(
  registry: Registry,
  schema: TopicSchema,
): ReadBillingRecord<Fields> {
  const readFields = openValueReader<Fields>(registry, schema);
  return async ({ key, value, headers }) => {
    const accountId = readKey(key);
    if (typeof accountId !== "string") return { accountId: null, problem: accountId.detail };
    const sequence = readSequence(headers);
    if (typeof sequence === "string") return { accountId, problem: sequence };
    const fields = await readFields(value);
    if ("problem" in fields) return { accountId, problem: fields.problem };
    if (fields.account_id !== accountId) {
      return { accountId, problem: "its key is not the account in its value" };
    }
    return { accountId, sequence, fields };
  };
}

/** A reader of one topic's values. It keeps the last 500 schemas, and that the registry has none. */
export function openValueReader<Fields extends object>(
  registry: Registry,
  { topic, type }: TopicSchema,
): ReadValue<Fields> {
  const readers = new Map<number, Reader>();

  async function readerOf(id: number): Promise<Reader> {
    const known = readers.get(id);
    if (known !== undefined) return known;
    const reader = await makeReader(id);
    if (reader instanceof SchemaUnserved) return { problem: reader.message };
    const oldest = readers.keys().next().value;
    if (readers.size === MOST_READERS && oldest !== undefined) readers.delete(oldest);
    readers.set(id, reader);
    return reader;
  }

  async function makeReader(id: number): Promise<Reader | SchemaUnserved> {
    try {
      const writer = await registry.schemaOf(id);
      if (writer === null) return { problem: `the registry has no schema ${id}` };
      return { resolver: type.createResolver(writer) };
    } catch (error) {
      if (error instanceof RegistryUnavailable) throw error;
      if (error instanceof SchemaUnserved) return error;
      return { problem: `schema ${id} is not one of ${topic}: ${(error as Error).message}` };
    }
  }

  return async (value) => {
    if (value === null) return { problem: "it has no value" };
    if (value.length < HEADER_BYTES || value[0] !== 0) {
      return { problem: "its value does not start with a schema id" };
    }
    const id = value.readInt32BE(1);
    const reader = await readerOf(id);
    if ("problem" in reader) return reader;
    try {
      const read = readBounded(reader.resolver, value, HEADER_BYTES);
      if (read.end !== value.length) return { problem: "bytes are missing or left over" };
      // A resolver returns the topic's own fields.
      return read.value as Fields;
    } catch (error) {
      return { problem: `it is not of schema ${id}: ${(error as Error).message}` };
    }
  };
}

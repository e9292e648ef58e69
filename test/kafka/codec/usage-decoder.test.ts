/**
 * - events of compatible schemas are read: the same, an older, a newer one
 * - what cannot be read is reported with its reason, whatever the bytes, and nothing is thrown
 * - a registry that cannot answer is an outage, never an unreadable message
 * - a schema is requested once; an unknown one is requested again
 */

import avro from "avsc";
import { describe, expect, test } from "vitest";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import { openEncoder } from "../../../shared/kafka/codec/encoder.ts";
import { RegistryUnavailable } from "../../../shared/kafka/codec/registry.ts";
import { SCHEMAS, typeHook } from "../../../shared/kafka/codec/schemas.ts";
import { openUsageDecoder } from "../../../shared/kafka/codec/usage-decoder.ts";
import { cpuTimeOf } from "../../support/cpu-time.ts";
import { usageBytes, withSchemaId } from "../../support/kafka/usage-bytes.ts";
import { RegistryInProcess } from "./registry-in-process.ts";

interface Field {
  readonly name: string;
  readonly [key: string]: unknown;
}

const OURS = JSON.parse(SCHEMAS.usageEvents.text) as { name: string; fields: Field[] };

const RECORD = {
  event_id: "e1",
  account_id: "acme",
  meter: "calls",
  quantity: 5n,
  occurred_at: 1_763_812_800_000,
  source: "gateway",
  dimensions: { region: "eu", "": "ß客\u{1F600}" },
  quantities: { output: 2n ** 53n + 1n, cached: 0n },
  hold_id: "run-1",
};

const EVENT = {
  eventId: "e1",
  accountId: "acme",
  meter: "calls",
  quantity: 5n,
  occurredAt: 1_763_812_800_000,
  source: "gateway",
  dimensions: { region: "eu", "": "ß客\u{1F600}" },
  quantities: { output: 2n ** 53n + 1n, cached: 0n },
  holdId: "run-1",
};

const BEFORE_SOURCES = { source: "", dimensions: {}, quantities: {}, holdId: null };

describe("an event is read", () => {
  test("as our own encoder wrote it, with its partition and offset", async () => {
    const registry = new RegistryInProcess();
    const value = (await openEncoder(registry, SCHEMAS.usageEvents))(RECORD);
    const decoder = openUsageDecoder(registry);
    await decoder.learn([value]);
    expect(decoder.decode(value, 3, 77n)).toEqual({ ...EVENT, partition: 3, offset: 77n });
  });

  test.each([
    { quantity: 0n },
    { quantity: -1n },
    { quantity: 2n ** 53n + 1n },
    { quantity: MAX_BIGINT },
    { quantity: -MAX_BIGINT - 1n },
  ])("with a quantity of $quantity", async ({ quantity }) => {
    expect(await roundTrip(OURS, { ...RECORD, quantity })).toEqual({ ...EVENT, quantity });
  });

  test("with no dimensions", async () => {
    expect(await roundTrip(OURS, { ...RECORD, dimensions: {} })).toEqual({
      ...EVENT,
      dimensions: {},
    });
  });

  test("with a dimension of any name", async () => {
    const dimensions = JSON.parse('{ "__proto__": "a", "constructor": "b" }');
    const registry = new RegistryInProcess();
    const value = write(registry.add(OURS), OURS, { ...RECORD, dimensions });
    const read = await learnAndDecode(registry, value);
    if ("reason" in read) throw new Error(read.detail);
    expect(Object.entries(read.dimensions)).toEqual(Object.entries(dimensions));
  });

  test("of an older schema, without source and dimensions, with their defaults", async () => {
    const older = { ...OURS, fields: OURS.fields.slice(0, 5) };
    expect(await roundTrip(older, RECORD)).toEqual({ ...EVENT, ...BEFORE_SOURCES });
  });

  test("of the schemas before, without holds, and without further quantities", async () => {
    const fieldsBut = (count: number) => ({ ...OURS, fields: OURS.fields.slice(0, -count) });
    expect(await roundTrip(fieldsBut(1), RECORD)).toEqual({ ...EVENT, holdId: null });
    const both = { ...EVENT, quantities: {}, holdId: null };
    expect(await roundTrip(fieldsBut(2), RECORD)).toEqual(both);
  });

  test("without a hold, and of a schema whose hold is plain text", async () => {
    expect(await roundTrip(OURS, { ...RECORD, hold_id: null })).toEqual({ ...EVENT, holdId: null });
    expect(await roundTrip(withField("hold_id", { type: "string", default: "" }), RECORD)).toEqual(
      EVENT,
    );
  });

  test("of a schema whose further quantities are ints, or may be null", async () => {
    const type = { type: "map", values: ["null", "int"] };
    const record = { ...RECORD, quantities: { cached: 7 } };
    expect(await roundTrip(withField("quantities", { type }), record)).toEqual({
      ...EVENT,
      quantities: { cached: 7n },
    });
  });

  test("unless it names a meter twice: no quantity is lost", async () => {
    const fields = {
      ...EVENT,
      dimensions: [],
      quantities: [
        ["cached", 1n],
        ["cached", 2n],
      ] as const,
    };
    const registry = new RegistryInProcess();
    const value = withSchemaId(registry.add(OURS), usageBytes(fields));
    expect(await learnAndDecode(registry, value)).toEqual({
      reason: "malformed",
      detail: "meter cached is named twice in quantities",
    });
  });

  test("of a newer schema, with a field more", async () => {
    const region = { name: "zone", type: "string", default: "" };
    const newer = { ...OURS, fields: [region, ...OURS.fields] };
    expect(await roundTrip(newer, { ...RECORD, zone: "eu-1" })).toEqual(EVENT);
  });

  test("of a schema with the fields in another order", async () => {
    const turned = { ...OURS, fields: OURS.fields.toReversed() };
    expect(await roundTrip(turned, RECORD)).toEqual(EVENT);
  });

  test("of a schema whose quantity is an int: still a bigint", async () => {
    const narrow = withField("quantity", { type: "int" });
    expect(await roundTrip(narrow, { ...RECORD, quantity: 5 })).toEqual(EVENT);
  });

  test("of a schema with a plain long for the instant", async () => {
    const plain = withField("occurred_at", { type: "long" });
    const record = { ...RECORD, occurred_at: BigInt(RECORD.occurred_at) };
    expect(await roundTrip(plain, record)).toEqual(EVENT);
  });
});

describe("an event as other producers write it is read", () => {
  const micros = { type: { type: "long", logicalType: "timestamp-micros" } };
  const nanos = { type: { type: "long", logicalType: "timestamp-nanos" } };
  const at = (unit: bigint) => BigInt(RECORD.occurred_at) * unit;

  test.each([
    { what: "of another namespace", schema: { ...OURS, namespace: "com.example.usage" } },
    { what: "of no namespace", schema: { ...OURS, namespace: undefined } },
    {
      what: "with fields that may be null",
      schema: {
        ...OURS,
        fields: OURS.fields.map(({ name, type }) => ({
          name,
          type: Array.isArray(type) ? type : ["null", type],
        })),
      },
    },
    {
      what: "with an enum for a string",
      schema: withField("meter", {
        type: { type: "enum", name: "Meter", symbols: ["none", "calls"] },
      }),
    },
    {
      what: "with microseconds",
      schema: withField("occurred_at", micros),
      record: { occurred_at: at(1_000n) },
    },
    {
      what: "with nanoseconds that may be null",
      schema: withField("occurred_at", { type: ["null", nanos.type] }),
      record: { occurred_at: at(1_000_000n) },
    },
    {
      what: "with values of dimensions that may be null",
      schema: withField("dimensions", { type: { type: "map", values: ["null", "string"] } }),
    },
  ])("$what", async ({ schema, record = {} }) => {
    expect(await roundTrip(schema, { ...RECORD, ...record })).toEqual(EVENT);
  });

  test("with the default where a field with a default is null", async () => {
    const nullable = withFields({
      source: { type: ["null", "string"], default: null },
      dimensions: { type: ["null", { type: "map", values: "string" }], default: null },
    });
    const record = { ...RECORD, source: null, dimensions: null };
    expect(await roundTrip(nullable, record)).toEqual({ ...EVENT, source: "", dimensions: {} });
  });

  test.each([
    {
      schema: withField("meter", { type: ["null", "string"] }),
      record: { meter: null },
      detail: "schema 1: meter is null; it needs a value",
    },
    {
      schema: withField("occurred_at", micros),
      record: { occurred_at: at(1_000n) + 1n },
      detail:
        "schema 1: occurred_at has a part of a millisecond; write timestamp-millis, or whole ones",
    },
    {
      schema: withField("dimensions", { type: { type: "map", values: ["null", "string"] } }),
      record: { dimensions: { region: null } },
      detail: "schema 1: dimension region is null; leave it out",
    },
  ])("but refused where that takes a guess: $detail", async ({ schema, record, detail }) => {
    expect(await roundTrip(schema, { ...RECORD, ...record })).toEqual({
      reason: "unreadable",
      detail,
    });
  });
});

describe("a value is unreadable", () => {
  test.each([
    { what: "that is not there", value: null, detail: "the message has no value" },
    { what: "without a byte", value: Buffer.alloc(0), detail: "the message has no value" },
    { what: "shorter than a schema id", value: bytes(0, 0, 0), detail: "does not start with" },
    {
      what: "with another first byte",
      value: bytes(1, 0, 0, 0, 1, 2),
      detail: "does not start with",
    },
    { what: "that is JSON", value: Buffer.from(`{"event_id":1}`), detail: "does not start with" },
    {
      what: "of nothing but a schema id",
      value: bytes(0, 0, 0, 0, 1),
      detail: "does not fit",
    },
  ])("$what", async ({ value, detail }) => {
    const registry = new RegistryInProcess();
    registry.add(OURS);
    const read = await learnAndDecode(registry, value);
    expect(read).toMatchObject({ reason: "unreadable", detail: expect.stringContaining(detail) });
  });

  test("cut off anywhere", async () => {
    const registry = new RegistryInProcess();
    const value = write(registry.add(OURS), OURS, RECORD);
    const decoder = openUsageDecoder(registry);
    await decoder.learn([value]);
    for (let end = 1; end < value.length; end += 1) {
      const read = decoder.decode(value.subarray(0, end), 0, 0n);
      expect(read, `${end} bytes`).toMatchObject({ reason: "unreadable" });
    }
  });

  test("with bytes left over", async () => {
    const registry = new RegistryInProcess();
    const value = write(registry.add(OURS), OURS, RECORD);
    const read = await learnAndDecode(registry, Buffer.concat([value, bytes(0)]));
    expect(read).toMatchObject({ reason: "unreadable", detail: "bytes are missing or left over" });
  });

  test.each([
    { what: "a schema of another version", schema: withField("occurred_at", { type: "long" }) },
    { what: "our own schema", schema: OURS },
  ])("with an instant beyond what a number represents exactly, in $what", async ({ schema }) => {
    const registry = new RegistryInProcess();
    const id = registry.add(schema);
    const plain = withField("occurred_at", { type: "long" });
    const value = write(id, plain, { ...RECORD, occurred_at: 2n ** 60n });
    expect(await learnAndDecode(registry, value)).toMatchObject({
      reason: "unreadable",
      detail:
        "schema 1: occurred_at is no instant: it is beyond 2^53 milliseconds from 1970; write milliseconds since 1970",
    });
  });

  test.each([
    { what: "a record of another name", schema: { ...OURS, name: "PageView" } },
    { what: "a record without our fields", schema: { ...OURS, fields: OURS.fields.slice(1) } },
    {
      what: "a quantity of several types",
      schema: withField("quantity", { type: ["long", "string"] }),
    },
    {
      what: "an instant without a zone",
      schema: withField("occurred_at", {
        type: { type: "long", logicalType: "local-timestamp-millis" },
      }),
    },
    {
      what: "an instant that is a date",
      schema: withField("occurred_at", { type: { type: "int", logicalType: "date" } }),
    },
    { what: "a quantity of another type", schema: withField("quantity", { type: "double" }) },
    { what: "no record", schema: { type: "map", values: "string" } },
  ])("of a foreign schema: $what", async ({ schema }) => {
    const registry = new RegistryInProcess();
    const id = registry.add(schema);
    expect(await learnAndDecode(registry, bytes(0, 0, 0, 0, id, 2, 65))).toMatchObject({
      reason: "unreadable",
      detail: expect.stringContaining(`schema ${id} is not one of usage events`),
    });
  });

  test("of a schema that is not Avro", async () => {
    const registry = new RegistryInProcess();
    const id = registry.add({ type: "nonsense" });
    expect(await learnAndDecode(registry, bytes(0, 0, 0, 0, id, 2))).toMatchObject({
      reason: "unreadable",
      detail: expect.stringContaining(`schema ${id} is not usable`),
    });
  });

  test("or an event with any one byte changed: nothing is thrown", async () => {
    const registry = new RegistryInProcess();
    const whole = write(registry.add(OURS), OURS, { ...RECORD, dimensions: { region: "eu" } });
    const decoder = openUsageDecoder(registry);
    await decoder.learn([whole]);
    const outcomes = new Set<string>();
    for (let at = 0; at < whole.length * 256; at += 1) {
      const value = Buffer.from(whole);
      value[at >> 8] = at & 0xff;
      const read = decoder.decode(value, 0, 0n);
      outcomes.add("reason" in read ? read.reason : "an event");
    }
    expect([...outcomes].sort()).toEqual(["an event", "unknown_schema", "unreadable"]);
  });

  test("immediately when it counts more dimensions than it has bytes", async () => {
    const registry = new RegistryInProcess();
    const none = write(registry.add(OURS), OURS, { ...RECORD, dimensions: {} });
    const value = Buffer.concat([none.subarray(0, -1), bytes(0x80, 0x80, 0x80, 0x20)]);
    const decoder = openUsageDecoder(registry);
    await decoder.learn([value]);
    const took = cpuTimeOf(() =>
      expect(decoder.decode(value, 0, 0n)).toMatchObject({ reason: "unreadable" }),
    );
    expect(took).toBeLessThan(20);
  });
});

describe("an unknown schema", () => {
  test("makes a value unknown, and is requested again with the next batch", async () => {
    const registry = new RegistryInProcess();
    const decoder = openUsageDecoder(registry);
    const value = write(1, OURS, RECORD);
    await decoder.learn([value]);
    expect(decoder.decode(value, 0, 0n)).toEqual({
      reason: "unknown_schema",
      detail: "the registry has no schema 1",
    });
    registry.add(OURS);
    await decoder.learn([value]);
    expect(decoder.decode(value, 0, 0n)).toMatchObject(EVENT);
  });
});

test("a schema is requested once, however many values and batches name it", async () => {
  const registry = new RegistryInProcess();
  const value = write(registry.add(OURS), OURS, RECORD);
  const decoder = openUsageDecoder(registry);
  await decoder.learn([value, null, value, bytes(7)]);
  await decoder.learn([value]);
  expect(registry.asked).toBe(1);
});

describe("a registry that cannot answer is an outage", () => {
  const failure = new RegistryUnavailable("schema registry: answered 503");

  test("ends when it answers again", async () => {
    const registry = new RegistryInProcess();
    const value = write(registry.add(OURS), OURS, RECORD);
    const decoder = openUsageDecoder(registry);
    registry.failure = failure;
    await expect(decoder.learn([value])).rejects.toThrow(RegistryUnavailable);
    registry.failure = null;
    await decoder.learn([value]);
    expect(decoder.decode(value, 0, 0n)).toMatchObject(EVENT);
  });

  test("does not prevent reading known schemas", async () => {
    const registry = new RegistryInProcess();
    const value = write(registry.add(OURS), OURS, RECORD);
    const decoder = openUsageDecoder(registry);
    await decoder.learn([value]);
    registry.failure = failure;
    await decoder.learn([value]);
    expect(decoder.decode(value, 0, 0n)).toMatchObject(EVENT);
  });
});

/** What was written with a schema, as our decoder reads it, without its offset. */
async function roundTrip(schema: unknown, record: Record<string, unknown>): Promise<unknown> {
  const registry = new RegistryInProcess();
  const read = await learnAndDecode(registry, write(registry.add(schema), schema, record));
  if ("reason" in read) return read;
  const { partition: _partition, offset: _offset, ...event } = read;
  return { ...event, dimensions: { ...event.dimensions } };
}

async function learnAndDecode(registry: RegistryInProcess, value: Buffer | null) {
  const decoder = openUsageDecoder(registry);
  await decoder.learn([value]);
  return decoder.decode(value, 0, 0n);
}

function write(id: number, schema: unknown, record: Record<string, unknown>): Buffer {
  const type = avro.Type.forSchema(JSON.parse(JSON.stringify(schema)), { typeHook });
  return Buffer.concat([bytes(0, 0, 0, 0, id), type.toBuffer(record)]);
}

function withField(name: string, change: Record<string, unknown>): typeof OURS {
  return {
    ...OURS,
    fields: OURS.fields.map((field) => (field.name === name ? { ...field, ...change } : field)),
  };
}

function withFields(changes: Readonly<Record<string, object>>): typeof OURS {
  return {
    ...OURS,
    fields: OURS.fields.map((field) => ({ ...field, ...changes[field.name] })),
  };
}

function bytes(...values: number[]): Buffer {
  return Buffer.from(values);
}

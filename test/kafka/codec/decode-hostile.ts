/** A worker that decodes hostile messages; it reports why they are refused, when that takes no long time. */
import { parentPort } from "node:worker_threads";
import { openUsageDecoder } from "../../../shared/kafka/codec/usage-decoder.ts";
import { longBytes } from "./avro-bytes.ts";
import type { Report } from "./in-worker.ts";
import { ourFields, RECORD_BYTES } from "./our-record.ts";
import { RegistryInProcess } from "./registry-in-process.ts";

const SOON_MS = 2_000;
const EMPTY = { type: "record", name: "Empty", fields: [] };
const NODE = {
  type: "record",
  name: "Node",
  fields: [{ name: "next", type: ["null", "Node"] }],
};
const BEGINS_WITH_ITSELF = {
  type: "record",
  name: "Self",
  fields: [{ name: "self", type: "Self" }],
};

/** One more field, in front of ours: its schema, in JSON if it is too deep to be written so, and its bytes. */
interface Hostile {
  readonly type: unknown;
  readonly bytes: Buffer;
}

const HOSTILE: Readonly<Record<string, () => Hostile>> = {
  "a block of an array whose size is negative": () => ({
    type: { type: "array", items: "string" },
    bytes: longs(-1, -2, 0),
  }),
  "a block of a map whose size is negative": () => ({
    type: { type: "map", values: "string" },
    bytes: longs(-1, -2, 0),
  }),
  "blocks that count more than there are bytes": () => ({
    type: { type: "array", items: { type: "map", values: "int" } },
    bytes: longs(2 ** 53, 2 ** 53, -(2 ** 53)),
  }),
  "an array of nulls beyond counting": () => ({
    type: { type: "array", items: "null" },
    bytes: longs(2 ** 53, 0),
  }),
  "arrays of arrays of records without fields": () => ({
    type: { type: "array", items: { type: "array", items: EMPTY } },
    bytes: Buffer.concat([
      longs(1_000),
      ...Array.from({ length: 1_000 }, () => longs(1e9, 0)),
      longs(0),
    ]),
  }),
  "a text of a negative length": () => ({ type: "string", bytes: longs(-5) }),
  "a text longer than the message": () => ({ type: "bytes", bytes: longs(2 ** 40) }),
  "a record within itself, far too deep": () => ({
    type: NODE,
    bytes: Buffer.concat(Array.from({ length: 100_000 }, () => longs(1))),
  }),
  "a record that begins with itself": () => ({ type: BEGINS_WITH_ITSELF, bytes: longs() }),
  "records without bytes, doubled forty times": () => doubled((inner) => ({ type: inner })),
  "optional records, doubled forty times, in a message that ends": () =>
    doubled((inner) => ({ type: [inner, "null"] })),
  "defaults that double forty times": () =>
    doubled((inner) => ({ type: [inner, "null"], default: {} })),
  "types nested ten thousand deep": () => ({ type: nested(10_000), bytes: longs(0) }),
  "types nested a hundred thousand deep": () => ({ type: nested(100_000), bytes: longs(0) }),
  "a union of five thousand records": () => ({
    type: Array.from({ length: 5_200 }, (_, index) => ({ ...EMPTY, name: `E${index}` })),
    bytes: longs(0),
  }),
  "a schema of a megabyte": () => ({
    type: { type: "enum", name: "E", symbols: Array.from({ length: 1e5 }, (_, i) => `symbol${i}`) },
    bytes: longs(0),
  }),
  "a type named constructor": () => ({ type: { ...EMPTY, name: "constructor" }, bytes: longs() }),
  "a symbol named valueOf": () => ({
    type: { type: "enum", name: "E", symbols: ["valueOf"] },
    bytes: longs(0),
  }),
  "a field named toString": () => ({ type: recordOf("toString"), bytes: longs(0) }),
  "a field named __proto__": () => ({ type: recordOf("__proto__"), bytes: longs(0) }),
};

parentPort?.on("message", (name: string) => {
  void decodeHostile(name).then((done) => parentPort?.postMessage({ done } satisfies Report));
});

/** Returns the reasons: of a message that ends within the field, and of one that goes on. */
async function decodeHostile(name: string): Promise<string[]> {
  const hostile = HOSTILE[name]?.();
  if (hostile === undefined) throw new Error(`no case is called ${name}`);
  const { schema, fields } = ourFields();
  const registry = new RegistryInProcess();
  const id = registry.add(
    JSON.stringify({ ...schema, fields: [{ name: "added", type: "HOSTILE" }, ...fields] }).replace(
      '"HOSTILE"',
      () =>
        Buffer.isBuffer(hostile.type) ? hostile.type.toString() : JSON.stringify(hostile.type),
    ),
  );
  const reasons: string[] = [];
  for (const rest of [[], [...RECORD_BYTES, Buffer.alloc(10_000)]]) {
    const value = Buffer.concat([Buffer.from([0, 0, 0, 0, id]), hostile.bytes, ...rest]);
    const decoder = openUsageDecoder(registry);
    const before = process.threadCpuUsage();
    await decoder.learn([value]);
    const read = decoder.decode(value, 0, 0n);
    const { user, system } = process.threadCpuUsage(before);
    const tookMs = (user + system) / 1000;
    if (!("reason" in read) || read.reason !== "unreadable") throw new Error("it is not refused");
    if (tookMs > SOON_MS) throw new Error(`it took ${tookMs} ms: ${read.detail}`);
    reasons.push(read.detail);
  }
  return reasons;
}

function longs(...values: number[]): Buffer {
  return Buffer.concat(values.map(longBytes));
}

/** Records of two fields of the record before, forty times; each is defined by an array without items. */
function doubled(field: (inner: string) => object): Hostile {
  const levels = Array.from({ length: 40 }, (_, index) => ({
    type: "record",
    name: `L${index + 1}`,
    fields: ["a", "b"].map((name) => ({ name, ...field(`L${index}`) })),
  }));
  const defined = [{ ...EMPTY, name: "L0" }, ...levels].map((items, index) => ({
    name: `level${index}`,
    type: { type: "array", items },
  }));
  const fields = [...defined, { name: "last", type: "L40" }];
  return {
    type: { type: "record", name: "Holder", fields },
    bytes: longs(...defined.map(() => 0)),
  };
}

function nested(depth: number): Buffer {
  return Buffer.from(`${'{"type":"array","items":'.repeat(depth)}"int"${"}".repeat(depth)}`);
}

function recordOf(name: string): object {
  return { type: "record", name: "R", fields: [{ name, type: "string" }] };
}

/** A worker; what it decodes next is posted first, so that what makes the decoder hang is known. */
import { parentPort } from "node:worker_threads";
import fc from "fast-check";
import type { Rejection } from "../../../shared/core/usage/usage-event.ts";
import { openUsageDecoder } from "../../../shared/kafka/codec/usage-decoder.ts";
import { longBytes } from "./avro-bytes.ts";
import type { Report } from "./in-worker.ts";
import { ourFields, RECORD_BYTES } from "./our-record.ts";
import { RegistryInProcess } from "./registry-in-process.ts";
import { type Schema, someBytes, someSchema, withNames } from "./some-schema.ts";

const MUTANTS = 40;
const SLOWEST_MS = 1_000;
/** Lengths and counts that decoders trip over. */
const HOSTILE = [
  -1,
  -2,
  -64,
  2 ** 31,
  -(2 ** 31),
  2 ** 53,
  -(2 ** 53),
  2n ** 62n,
  -(2n ** 63n),
  1,
  0,
];

interface Added {
  readonly at: number;
  readonly type: Schema;
}

const added: fc.Arbitrary<Added[]> = fc.array(fc.record({ at: fc.nat(7), type: someSchema }), {
  maxLength: 4,
});

parentPort?.on("message", (job: { readonly seed: number; readonly runs: number }) => {
  void fuzz(job.seed, job.runs).then(() => report({ done: "no failure" }));
});

async function fuzz(seed: number, numRuns: number): Promise<void> {
  await fc.assert(fc.asyncProperty(added, fc.integer(), decodeChanged), { seed, numRuns });
}

async function decodeChanged(fields: readonly Added[], random: number): Promise<void> {
  const below = drawFrom(random);
  const { schema, whole } = evolved(fields, below);
  const registry = new RegistryInProcess();
  const value = Buffer.concat([Buffer.from([0, 0, 0, 0, registry.add(schema)]), whole]);
  const decoder = openUsageDecoder(registry);
  await decoder.learn([value]);
  report({ at: { schema, value: value.toString("hex") } });
  const read = decoder.decode(value, 0, 0n);
  if ("reason" in read) throw new Error(`what is valid is ${read.reason}: ${read.detail}`);
  if (
    read.holdId !== "run-1" ||
    read.eventId !== "e1" ||
    read.dimensions["region"] !== "eu" ||
    read.quantity !== 5n
  ) {
    throw new Error(`another event is read: ${read.eventId}`);
  }
  for (let mutant = 0; mutant < MUTANTS; mutant += 1) {
    const changed = mutate(value, below);
    report({ at: { schema, value: changed.toString("hex") } });
    const before = process.threadCpuUsage();
    const outcome = decoder.decode(changed, 0, 0n);
    if (process.threadCpuUsage(before).user / 1000 > SLOWEST_MS)
      throw new Error("decoding takes too long");
    if ("reason" in outcome && !mayBecome(outcome)) throw new Error(outcome.reason);
  }
}

/** What changed bytes may become; a changed name of a further meter may be the first one's. */
function mayBecome({ reason, detail }: Rejection): boolean {
  return reason === "unreadable" || /^meter .* is named twice in quantities$/s.test(detail);
}

function report(report: Report): void {
  parentPort?.postMessage(report);
}

/** The schema of usage events with more fields among its own, and an event written with it. */
function evolved(added: readonly Added[], below: (limit: number) => number) {
  const { schema, fields } = ourFields();
  const parts = fields.map((field, index) =>
    asOthersWrite(
      { field: { name: field.name, type: field.type }, bytes: RECORD_BYTES[index] ?? longBytes(0) },
      below,
    ),
  );
  let named = 0;
  const nextName = () => {
    named += 1;
    return `T${named}`;
  };
  for (const [index, { at, type: unnamed }] of added.entries()) {
    const type = withNames(unnamed, nextName);
    const field = { name: `added_${index}`, type };
    parts.splice(at, 0, { field, bytes: someBytes(type, below) });
  }
  return {
    schema: {
      ...schema,
      namespace: ["drawdown", "com.example"][below(2)],
      fields: parts.map(({ field }) => field),
    },
    whole: Buffer.concat(parts.map(({ bytes }) => bytes)),
  };
}

interface Part {
  readonly field: { readonly name: string; readonly type: Schema };
  readonly bytes: Buffer;
}

/** Sometimes in another way that means the same: microseconds, an enum, or a union with null. */
function asOthersWrite(part: Part, below: (limit: number) => number): Part {
  const { name } = part.field;
  let { type } = part.field;
  let { bytes } = part;
  if (name === "occurred_at" && below(2) === 0) {
    type = { type: "long", logicalType: "timestamp-micros" };
    bytes = longBytes(1_763_812_800_000_000);
  }
  if (name === "meter" && below(2) === 0) {
    type = { type: "enum", name: "Meter", symbols: ["none", "calls"] };
    bytes = longBytes(1);
  }
  if (below(3) > 0 || Array.isArray(type)) return { field: { name, type }, bytes };
  const nullFirst = below(2) === 0;
  return {
    field: { name, type: nullFirst ? ["null", type] : [type, "null"] },
    bytes: Buffer.concat([longBytes(nullFirst ? 1 : 0), bytes]),
  };
}

/** Changes, cuts or inserts a few bytes after the schema's id. */
function mutate(value: Buffer, below: (limit: number) => number): Buffer {
  let changed = Buffer.from(value);
  for (let change = 1 + below(3); change > 0; change -= 1) {
    const at = 5 + below(changed.length - 4);
    const rest = changed.subarray(at);
    const kind = below(4);
    const middle =
      kind === 0
        ? [Buffer.from([below(256)]), rest.subarray(1)]
        : kind === 1
          ? [longBytes(HOSTILE[below(HOSTILE.length)] ?? 0), rest.subarray(1)]
          : kind === 2
            ? [longBytes(HOSTILE[below(HOSTILE.length)] ?? 0), rest]
            : [rest.subarray(below(4))];
    changed = Buffer.concat([changed.subarray(0, at), ...middle]);
  }
  return changed;
}

/** Draws whole numbers, the same for the same seed (mulberry32). */
function drawFrom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

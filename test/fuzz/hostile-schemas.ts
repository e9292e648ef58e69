/** A worker: reads usage with schemas that were changed, and posts first which one it tries. */
import { parentPort } from "node:worker_threads";
import fc from "fast-check";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";
import { openUsageDecoder } from "../../shared/kafka/codec/usage-decoder.ts";
import type { Report } from "../kafka/codec/in-worker.ts";
import { RECORD_BYTES } from "../kafka/codec/our-record.ts";
import { RegistryInProcess } from "../kafka/codec/registry-in-process.ts";
import { withSchemaId } from "../support/kafka/usage-bytes.ts";
import { mutantJsonOf, type Value } from "./mutant-values.ts";
import { mutantsOf, mutantTextsOf } from "./mutants.ts";

const SLOWEST_MS = 1_000;
/** Bytes may also be read as an event of too many meters. */
const REFUSED = ["unreadable", "malformed"];
const words = [
  ...['"record"', '"null"', '{"type":"array","items":"null"}', '{"type":"map","values":"bytes"}'],
  ...[
    '["null","string"]',
    '"UsageEvent"',
    '{"type":"fixed","name":"F","size":99999999}',
    '"fields"',
  ],
  ...['{"type":"enum","name":"E","symbols":["a"]}', '"logicalType":"decimal"', '"default":[[]]'],
];
const valid = fc.constantFrom<Value>(
  JSON.parse(SCHEMAS.usageEvents.text),
  JSON.parse(SCHEMAS.topUps.text),
);
const schema = fc.oneof(
  mutantJsonOf(valid),
  mutantTextsOf(
    valid.map((of) => JSON.stringify(of)),
    words,
  ),
);
const record = fc.constant(Buffer.concat(RECORD_BYTES));
const values = fc.array(fc.oneof(record, mutantsOf(record)), { maxLength: 3 });

parentPort?.on("message", (parameters: fc.Parameters<unknown>) => {
  const property = fc.asyncProperty(schema, values, decode);
  void fc.assert(property, parameters).then(() => report({ done: "no failure" }));
});

async function decode(text: string, records: readonly Buffer[]): Promise<void> {
  report({ at: { text, records: records.map((bytes) => bytes.toString("hex")) } });
  const before = process.threadCpuUsage();
  const registry = new RegistryInProcess();
  const id = registry.add(text);
  const decoder = openUsageDecoder(registry);
  const written = records.map((bytes) => withSchemaId(id, bytes));
  await decoder.learn(written);
  for (const value of written) {
    const read = decoder.decode(value, 0, 0n);
    if ("reason" in read && !REFUSED.includes(read.reason)) throw new Error(read.reason);
  }
  const spent = process.threadCpuUsage(before);
  if ((spent.user + spent.system) / 1000 > SLOWEST_MS) throw new Error("it takes too long");
}

function report(report: Report): void {
  parentPort?.postMessage(report);
}

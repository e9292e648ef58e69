import { SCHEMAS } from "../../../shared/kafka/codec/schemas.ts";
import { longBytes, stringBytes } from "./avro-bytes.ts";
import type { Schema } from "./some-schema.ts";

interface Field {
  readonly name: string;
  readonly type: Schema;
  readonly default?: unknown;
}

/** The schema of usage events, and its fields. */
export function ourFields(): { readonly schema: object; readonly fields: readonly Field[] } {
  const schema = JSON.parse(SCHEMAS.usageEvents.text) as { readonly fields: readonly Field[] };
  return { schema, fields: schema.fields };
}

/** An event field by field, as the specification writes it. */
export const RECORD_BYTES: readonly Buffer[] = [
  stringBytes("e1"),
  stringBytes("acme"),
  stringBytes("calls"),
  longBytes(5),
  longBytes(1_763_812_800_000),
  stringBytes("gateway"),
  Buffer.concat([longBytes(1), stringBytes("region"), stringBytes("eu"), longBytes(0)]),
  Buffer.concat([longBytes(1), stringBytes("cached"), longBytes(7), longBytes(0)]),
  Buffer.concat([longBytes(1), stringBytes("run-1")]),
];

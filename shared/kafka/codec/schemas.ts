import { readFileSync } from "node:fs";
import avro from "avsc";
import { TOPICS } from "../../core/text/topics.ts";
import { BoundedArray } from "../patches/bounded-array.ts";
import { BoundedMap } from "../patches/bounded-map.ts";

/** The header of every Avro record: a zero byte, then the schema's id in four bytes, big-endian. */
export const HEADER_BYTES = 5;

/** The schema of a topic's records: its text for the registry, and its type to encode and decode. */
export interface TopicSchema {
  readonly topic: string;
  readonly subject: string;
  readonly text: string;
  readonly type: avro.Type;
  /** What the registry holds new versions of the schema to. */
  readonly compatibility: Compatibility;
}

/**
 * BACKWARD: who reads with the new version reads what was written before it. FORWARD_TRANSITIVE: who reads
 * with any version reads what is written with the new one; for usage, which others write.
 */
export type Compatibility = "BACKWARD" | "FORWARD_TRANSITIVE";

/**
 * Reads longs as bigint, and also writes decimal strings, as in JSON. Instants (`timestamp-millis`) are plain
 * numbers; other logical types of numbers are told apart (`instantUnitOf`). Arrays and maps cannot have more than
 * their bytes allow; read them with `readBounded`.
 */
export function typeHook(
  schema: avro.Schema,
  options?: Partial<avro.ForSchemaOptions>,
): avro.Type | undefined {
  if (schema === "long") return BIGINT;
  const logical = logicalTypeOf(schema);
  const known = logical === null ? undefined : LOGICAL.get(logical);
  if (known !== undefined) return known.type;
  if (isOfType(schema, "array")) return new BoundedArray(schema, options);
  return isOfType(schema, "map") ? new BoundedMap(schema, options) : undefined;
}

const BIGINT = exactLong();

/** Numbers that stand for an instant, and how many of them are a millisecond; null: none can be told. */
const LOGICAL = new Map<string, { readonly type: avro.Type; readonly unit: bigint | null }>([
  ["long timestamp-millis", { type: avro.Type.forSchema("long"), unit: 1n }],
  ["long timestamp-micros", { type: exactLong(), unit: 1_000n }],
  ["long timestamp-nanos", { type: exactLong(), unit: 1_000_000n }],
  ...[
    "local-timestamp-millis",
    "local-timestamp-micros",
    "local-timestamp-nanos",
    "time-micros",
  ].map((name) => [`long ${name}`, { type: exactLong(), unit: null }] as const),
  ...["date", "time-millis"].map(
    (name) => [`int ${name}`, { type: avro.Type.forSchema({ type: "int" }), unit: null }] as const,
  ),
]);

const UNITS = new Map([...LOGICAL.values()].map(({ type, unit }) => [type, unit]));

/** How many of a number are a millisecond: a plain one counts milliseconds. Null: it is no instant. */
export function instantUnitOf(type: avro.Type): bigint | null {
  const unit = UNITS.get(type);
  return unit === undefined ? 1n : unit;
}

function exactLong(): avro.Type {
  return avro.types.LongType.__with({
    fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
    toBuffer: (value: bigint | string) => {
      const bytes = Buffer.allocUnsafe(8);
      bytes.writeBigInt64LE(BigInt(value));
      return bytes;
    },
    fromJSON: BigInt,
    toJSON: String,
    isValid: (value: unknown) =>
      typeof value === "bigint" || (typeof value === "string" && /^-?\d{1,19}$/.test(value)),
    compare: (a: bigint, b: bigint) => (a < b ? -1 : Number(a > b)),
  });
}

/** Such as `long timestamp-millis`. */
function logicalTypeOf(schema: avro.Schema): string | null {
  if (typeof schema !== "object" || !("logicalType" in schema)) return null;
  return `${schema.type} ${schema.logicalType}`;
}

function isOfType(schema: avro.Schema, type: string): boolean {
  return typeof schema === "object" && "type" in schema && schema.type === type;
}

function schemaOf(
  topic: string,
  file: string,
  compatibility: Compatibility = "BACKWARD",
): TopicSchema {
  const text = readFileSync(new URL(`../../../schemas/${file}`, import.meta.url), "utf8");
  const type = avro.Type.forSchema(JSON.parse(text), { typeHook });
  return { topic, subject: `${topic}-value`, text, type, compatibility };
}

/** The schema of each topic. */
export const SCHEMAS = {
  usageEvents: schemaOf(TOPICS.usageEvents, "usage-event.avsc", "FORWARD_TRANSITIVE"),
  deadLetters: schemaOf(TOPICS.deadLetters, "dead-letter.avsc"),
  lowBalance: schemaOf(TOPICS.lowBalance, "low-balance.avsc"),
  credits: schemaOf(TOPICS.credits, "credits-posted.avsc"),
  topUps: schemaOf(TOPICS.topUps, "top-up-changed.avsc"),
  payments: schemaOf(TOPICS.payments, "payment-changed.avsc"),
  holds: schemaOf(TOPICS.holds, "hold-changed.avsc"),
  creditsExpiring: schemaOf(TOPICS.creditsExpiring, "credits-expiring.avsc"),
  alerts: schemaOf(TOPICS.alerts, "alert-raised.avsc"),
  balances: schemaOf(TOPICS.balances, "balance-changed.avsc"),
  balancesComplete: schemaOf(TOPICS.balancesComplete, "balances-complete.avsc"),
} as const satisfies Record<keyof typeof TOPICS, TopicSchema>;

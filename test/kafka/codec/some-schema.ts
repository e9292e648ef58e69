import fc from "fast-check";
import { longBytes } from "./avro-bytes.ts";

/** A schema in JSON, as far as these tests make them. */
export type Schema =
  | string
  | readonly Schema[]
  | {
      readonly type: string;
      readonly name?: string;
      readonly logicalType?: string;
      readonly items?: Schema;
      readonly values?: Schema;
      readonly symbols?: readonly string[];
      readonly size?: number;
      readonly fields?: readonly { readonly name: string; readonly type: Schema }[];
    };

const PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];
const LOGICAL = [
  { type: "int", logicalType: "date" },
  { type: "long", logicalType: "timestamp-millis" },
  { type: "long", logicalType: "timestamp-micros" },
  { type: "string", logicalType: "uuid" },
  { type: "bytes", logicalType: "decimal", precision: 9, scale: 2 },
];

const { schema } = fc.letrec<{ schema: Schema; branch: Schema }>((tie) => ({
  schema: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("branch"),
    // Each kind of branch once, as Avro wants it.
    fc
      .uniqueArray(tie("branch"), { minLength: 1, maxLength: 4, selector: kindOf })
      .map((branches) => branches),
  ),
  branch: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<Schema>(...PRIMITIVES),
    fc.constantFrom<Schema>(...LOGICAL),
    fc.nat(40).map((size): Schema => ({ type: "fixed", size })),
    fc
      .integer({ min: 1, max: 5 })
      .map((count): Schema => ({ type: "enum", symbols: names("S", count) })),
    tie("schema").map((items): Schema => ({ type: "array", items })),
    tie("schema").map((values): Schema => ({ type: "map", values })),
    fc.array(tie("schema"), { maxLength: 4 }).map(
      (types): Schema => ({
        type: "record",
        fields: types.map((type, index) => ({ name: `f${index}`, type })),
      }),
    ),
  ),
}));

/** A schema of any kind, without names: `withNames` gives each named type its own. */
export const someSchema: fc.Arbitrary<Schema> = schema;

/** Names the records, enums and fixed within a schema. */
export function withNames(schema: Schema, nextName: () => string): Schema {
  if (typeof schema === "string") return schema;
  if (isUnion(schema)) return schema.map((branch) => withNames(branch, nextName));
  const name = ["record", "enum", "fixed"].includes(schema.type) ? { name: nextName() } : {};
  return {
    ...schema,
    ...name,
    ...(schema.items === undefined ? {} : { items: withNames(schema.items, nextName) }),
    ...(schema.values === undefined ? {} : { values: withNames(schema.values, nextName) }),
    ...(schema.fields === undefined
      ? {}
      : {
          fields: schema.fields.map((field) => ({
            ...field,
            type: withNames(field.type, nextName),
          })),
        }),
  };
}

/** Some value of a schema, as the specification writes it; `below` draws a whole number below another. */
export function someBytes(schema: Schema, below: (limit: number) => number): Buffer {
  if (isUnion(schema)) {
    const index = below(schema.length);
    return Buffer.concat([longBytes(index), someBytes(schema[index] ?? "null", below)]);
  }
  const type = typeof schema === "string" ? schema : schema.type;
  const whole = typeof schema === "string" ? { type } : schema;
  switch (type) {
    case "boolean":
      return Buffer.from([below(2)]);
    case "int":
      return longBytes(below(2 ** 32) - 2 ** 31);
    case "long":
      return longBytes(
        BigInt(below(2 ** 32)) * BigInt(below(2 ** 31)) * (below(2) === 0 ? 1n : -1n),
      );
    case "float":
      return randomBytes(4, below);
    case "double":
      return randomBytes(8, below);
    case "bytes":
    case "string":
      return someText(below);
    case "fixed":
      return randomBytes(whole.size ?? 0, below);
    case "enum":
      return longBytes(below(whole.symbols?.length ?? 1));
    case "record":
      return Buffer.concat((whole.fields ?? []).map((field) => someBytes(field.type, below)));
    case "array":
      return someBlocks(() => someBytes(whole.items ?? "null", below), below);
    case "map":
      return someBlocks(
        () => Buffer.concat([someText(below), someBytes(whole.values ?? "null", below)]),
        below,
      );
    default:
      return Buffer.alloc(0);
  }
}

/** Up to two blocks, each with or without its size in bytes in front. */
function someBlocks(item: () => Buffer, below: (limit: number) => number): Buffer {
  const blocks: Buffer[] = [];
  for (let block = below(3); block > 0; block -= 1) {
    const count = 1 + below(3);
    const items = Buffer.concat(Array.from({ length: count }, item));
    blocks.push(
      ...(below(2) === 0 ? [longBytes(count)] : [longBytes(-count), longBytes(items.length)]),
      items,
    );
  }
  return Buffer.concat([...blocks, longBytes(0)]);
}

function someText(below: (limit: number) => number): Buffer {
  const text = Buffer.from("ß客x\u{1F600}".repeat(below(4)));
  return Buffer.concat([longBytes(text.length), text]);
}

function randomBytes(length: number, below: (limit: number) => number): Buffer {
  return Buffer.from(Array.from({ length }, () => below(256)));
}

function kindOf(schema: Schema): string {
  if (typeof schema === "string") return schema;
  return isUnion(schema) ? "union" : schema.type;
}

function isUnion(schema: Schema): schema is readonly Schema[] {
  return Array.isArray(schema);
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

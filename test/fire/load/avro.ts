import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import avro from "avsc";

/** Longs as bigints: credits pass what doubles hold. */
const LONG = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer(value: bigint) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value: unknown) => typeof value === "bigint",
  compare: (one: bigint, other: bigint) => (one < other ? -1 : one > other ? 1 : 0),
});

export type Codec = avro.Type;

/** The codec of a schema of this repository, by its file's name without `.avsc`. */
export async function codecOf(name: string): Promise<Codec> {
  const file = resolve(import.meta.dirname, "../../../schemas", `${name}.avsc`);
  return codecOfSchema(await readFile(file, "utf8"));
}

/** The codec of the text of a schema. */
export function codecOfSchema(text: string): Codec {
  return avro.Type.forSchema(JSON.parse(text), {
    typeHook: (attributes) =>
      typeof attributes === "object" && "type" in attributes && attributes.type === "long"
        ? LONG
        : undefined,
    registry: { long: LONG },
  });
}

/** A value in Confluent's wire format. */
export function framed(id: number, record: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeInt32BE(id, 1);
  return Buffer.concat([head, record]);
}

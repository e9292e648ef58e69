import { HEADER_BYTES } from "../../../shared/kafka/codec/schemas.ts";

/** The fields of a usage event; text may be raw bytes that no string represents. */
export interface UsageFields {
  readonly eventId: string | Buffer;
  readonly accountId: string | Buffer;
  readonly meter: string | Buffer;
  readonly quantity: bigint;
  readonly occurredAt: bigint | number;
  readonly source: string | Buffer;
  readonly dimensions: readonly (readonly [string | Buffer, string | Buffer])[];
  /** Default: none. Null: of the first schema, which does not have them. */
  readonly quantities?: readonly (readonly [string | Buffer, bigint])[] | null;
  /** Default: none. */
  readonly holdId?: string | Buffer | null;
  /** True: of the schema before, which has no hold. */
  readonly isBeforeHolds?: boolean;
}

/** A usage event in Avro, encoded by hand: no encoder would write these deliberate mistakes. */
export function usageBytes(fields: UsageFields): Buffer {
  return Buffer.concat([
    text(fields.eventId),
    text(fields.accountId),
    text(fields.meter),
    long(fields.quantity),
    long(BigInt(fields.occurredAt)),
    text(fields.source),
    map(fields.dimensions.map(([key, value]) => [key, text(value)])),
    furtherQuantities(fields.quantities),
    hold(fields),
  ]);
}

function furtherQuantities(quantities: UsageFields["quantities"] = []): Buffer {
  if (quantities === null) return Buffer.alloc(0);
  return map(quantities.map(([meter, quantity]) => [meter, long(quantity)]));
}

function hold({ holdId = null, isBeforeHolds = false, quantities }: UsageFields): Buffer {
  if (isBeforeHolds || quantities === null) return Buffer.alloc(0);
  return holdId === null ? long(0n) : Buffer.concat([long(1n), text(holdId)]);
}

/** A Kafka message's value: a zero byte, the schema's id, the record. */
export function withSchemaId(id: number, record: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeInt32BE(id, 1);
  return Buffer.concat([header, record]);
}

/** An Avro long: zigzag, seven bits a byte, the lowest first. */
export function long(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

export function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([long(BigInt(bytes.length)), bytes]);
}

function map(pairs: readonly (readonly [string | Buffer, Buffer])[]): Buffer {
  if (pairs.length === 0) return long(0n);
  const items = pairs.map(([key, value]) => Buffer.concat([text(key), value]));
  return Buffer.concat([long(BigInt(pairs.length)), ...items, long(0n)]);
}

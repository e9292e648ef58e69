import { long } from "./usage-bytes.ts";

/** A record as a producer would write it; what is missing is null or nothing. */
export interface RecordFields {
  readonly key?: string | null;
  readonly value: string | Buffer | null;
  readonly headers?: readonly (readonly [string, string | null])[];
  /** Default: the truth. */
  readonly headerCount?: number;
  /** Bytes behind its last header, which count as its own. */
  readonly behindHeaders?: Buffer;
  /** Default: its place in the batch. */
  readonly offsetDelta?: number;
  /** What it states beside its own length. */
  readonly lengthError?: number;
}

/** What a batch states of itself; by default the truth about `records`. */
export interface BatchFields {
  readonly records: readonly RecordFields[];
  readonly firstOffset?: bigint;
  readonly lastOffsetDelta?: number;
  readonly magic?: number;
  readonly attributes?: number;
  readonly count?: number;
  readonly producerId?: bigint;
  /** The records packed; default: as they are. */
  pack?(records: Buffer): Buffer;
}

/** The bytes of a record batch in Kafka's log, without a checksum, which consumers do not compare. */
export function recordBatch(fields: BatchFields): Buffer {
  const { records, pack = (bytes) => bytes } = fields;
  const body = pack(Buffer.concat(records.map(record)));
  const header = Buffer.alloc(61);
  header.writeBigInt64BE(fields.firstOffset ?? 0n, 0);
  header.writeInt32BE(49 + body.length, 8);
  header.writeInt8(fields.magic ?? 2, 16);
  header.writeInt16BE(fields.attributes ?? 0, 21);
  header.writeInt32BE(fields.lastOffsetDelta ?? records.length - 1, 23);
  header.writeBigInt64BE(1_700_000_000_000n, 27);
  header.writeBigInt64BE(1_700_000_000_000n + BigInt(records.length), 35);
  header.writeBigInt64BE(fields.producerId ?? -1n, 43);
  header.writeInt16BE(-1, 51);
  header.writeInt32BE(-1, 53);
  header.writeInt32BE(fields.count ?? records.length, 57);
  return Buffer.concat([header, body]);
}

function record(fields: RecordFields, index: number): Buffer {
  const headers = fields.headers ?? [];
  const body = Buffer.concat([
    Buffer.from([0]),
    number(index),
    number(fields.offsetDelta ?? index),
    bytes(fields.key ?? null),
    bytes(fields.value),
    number(fields.headerCount ?? headers.length),
    ...headers.flatMap(([name, value]) => [bytes(name), bytes(value)]),
    fields.behindHeaders ?? Buffer.alloc(0),
  ]);
  return Buffer.concat([number(body.length + (fields.lengthError ?? 0)), body]);
}

function bytes(value: string | Buffer | null): Buffer {
  if (value === null) return number(-1);
  const content = Buffer.from(value);
  return Buffer.concat([number(content.length), content]);
}

/** Kafka's variable-length numbers are those of Avro. */
function number(value: number): Buffer {
  return long(BigInt(value));
}

/** A transaction that the response states to be aborted, in every partition. */
export interface AbortedFields {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

/** A response to a fetch of version 11: the log of each partition of a topic, from partition 0 on. */
export function fetchResponse(
  topic: string,
  logs: readonly Buffer[],
  aborted: readonly AbortedFields[] = [],
): Buffer {
  const name = Buffer.from(topic);
  return Buffer.concat([
    ...[int32(0), int16(0), int32(0)],
    ...[int32(1), int16(name.length), name, int32(logs.length)],
    ...logs.flatMap((log, partition) => [
      ...[int32(partition), int16(0), int64(1_000n), int64(1_000n), int64(0n)],
      int32(aborted.length),
      ...aborted.flatMap(({ producerId, firstOffset }) => [int64(producerId), int64(firstOffset)]),
      ...[int32(-1), int32(log.length), log],
    ]),
  ]);
}

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

function int64(value: bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64BE(value);
  return buffer;
}

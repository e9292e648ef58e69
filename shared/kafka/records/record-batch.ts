import type { IHeaders, KafkaMessage } from "kafkajs";
import { ByteReader, MalformedBytes } from "./byte-reader.ts";

/** A batch of records as it is in the log, its records perhaps compressed. */
export interface RecordBatch {
  readonly firstOffset: bigint;
  readonly lastOffset: bigint;
  /** The version of the message format; in those below 2 each message is on its own. */
  readonly magic: number;
  readonly attributes: number;
  readonly firstTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: string;
  /** How many records it states to have. */
  readonly count: number;
  readonly records: Buffer;
}

/** A message as KafkaJS hands it on, with what it needs to drop control records and aborted transactions. */
export type FetchedMessage = KafkaMessage & {
  readonly headers: IHeaders;
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
};

const BEFORE_MAGIC = 16;
const OLD_HEADER = 17;
const HEADER = 61;
const LENGTH_COUNTS_FROM = 12;
const FORMAT = 2;

const IS_LOG_APPEND_TIME = 0x08;
const IS_IN_TRANSACTION = 0x10;
const IS_CONTROL = 0x20;
const NO_HEADERS: IHeaders = Object.freeze({});

/** The batches of a fetch; the last may be cut off by the size of the fetch and is left out. */
export function* recordBatches(log: Buffer): Generator<RecordBatch> {
  for (let at = 0; at + OLD_HEADER <= log.length; ) {
    const length = log.readInt32BE(at + 8);
    const end = at + LENGTH_COUNTS_FROM + length;
    const isNew = log.readInt8(at + BEFORE_MAGIC) >= FORMAT;
    if (end > log.length || length < (isNew ? HEADER : OLD_HEADER) - LENGTH_COUNTS_FROM) return;
    const bytes = log.subarray(at, end);
    yield isNew ? newBatch(bytes) : oldMessage(bytes);
    at = end;
  }
}

function newBatch(bytes: Buffer): RecordBatch {
  const firstOffset = bytes.readBigInt64BE(0);
  return {
    firstOffset,
    lastOffset: firstOffset + BigInt(Math.max(0, bytes.readInt32BE(23))),
    magic: bytes.readInt8(BEFORE_MAGIC),
    attributes: bytes.readInt16BE(21),
    firstTimestamp: Number(bytes.readBigInt64BE(27)),
    maxTimestamp: Number(bytes.readBigInt64BE(35)),
    producerId: bytes.readBigInt64BE(43).toString(),
    count: bytes.readInt32BE(57),
    records: bytes.subarray(HEADER),
  };
}

function oldMessage(bytes: Buffer): RecordBatch {
  const offset = bytes.readBigInt64BE(0);
  return {
    ...{ firstOffset: offset, lastOffset: offset, magic: bytes.readInt8(BEFORE_MAGIC) },
    ...{ attributes: 0, firstTimestamp: -1, maxTimestamp: -1, producerId: "-1", count: 1 },
    records: bytes.subarray(OLD_HEADER),
  };
}

/**
 * The messages in the unpacked records of a batch, in offset order, with at most `mostHeaders` headers
 * together. Throws MalformedBytes.
 */
export function readRecords(
  batch: RecordBatch,
  records: Buffer,
  mostHeaders: number,
): { readonly messages: FetchedMessage[]; readonly headers: number } {
  const reader = new ByteReader(records);
  const [firstOffset, lastOffset] = [Number(batch.firstOffset), Number(batch.lastOffset)];
  const appendedAt = batch.attributes & IS_LOG_APPEND_TIME ? String(batch.maxTimestamp) : null;
  const isControlRecord = (batch.attributes & IS_CONTROL) !== 0;
  const batchContext = contextOf(batch);
  const messages: FetchedMessage[] = [];
  let headers = 0;
  let before = firstOffset - 1;
  for (let left = batch.count; left > 0; left -= 1) {
    const length = reader.varint();
    const end = reader.at + length;
    reader.at += 1;
    const timestampDelta = reader.varlong();
    const offset = firstOffset + reader.varint();
    const key = reader.varbytes();
    const value = reader.varbytes();
    const headerCount = reader.varint();
    headers += headerCount;
    if (headers > mostHeaders) throw new MalformedBytes(`it has more than ${mostHeaders} headers`);
    messages.push({
      attributes: 0,
      timestamp: appendedAt ?? String(batch.firstTimestamp + timestampDelta),
      offset: String(offset),
      key,
      value,
      headers: headerCount === 0 ? NO_HEADERS : readHeaders(reader, headerCount),
      isControlRecord,
      batchContext,
    });
    if (reader.at !== end) throw new MalformedBytes("a record is not as long as it states");
    if (offset <= before || offset > lastOffset) {
      throw new MalformedBytes("an offset is out of order");
    }
    before = offset;
  }
  if (reader.at !== records.length) throw new MalformedBytes("bytes are left after its records");
  return { messages, headers };
}

function readHeaders(reader: ByteReader, count: number): IHeaders {
  const headers: IHeaders = Object.create(null);
  for (let left = count; left > 0; left -= 1) {
    const name = reader.varbytes()?.toString() ?? "";
    const value = reader.varbytes() ?? undefined;
    const known = headers[name];
    if (Array.isArray(known)) known.push(value ?? "");
    else headers[name] = name in headers ? [known ?? "", value ?? ""] : value;
  }
  return headers;
}

/**
 * A message at the last offset of a batch. KafkaJS moves past the last offset that it sees, also of the
 * control records, which it drops.
 */
export function lastMessage(
  batch: RecordBatch,
  of: Pick<FetchedMessage, "value" | "isControlRecord">,
): FetchedMessage {
  return {
    ...{ attributes: 0, key: null, headers: NO_HEADERS, ...of },
    timestamp: String(batch.maxTimestamp),
    offset: batch.lastOffset.toString(),
    batchContext: contextOf(batch),
  };
}

function contextOf({ producerId, attributes }: RecordBatch): FetchedMessage["batchContext"] {
  return { producerId, inTransaction: (attributes & IS_IN_TRANSACTION) !== 0 };
}

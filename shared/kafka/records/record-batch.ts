import type { IHeaders, KafkaMessage } from "kafkajs";

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
export const NO_HEADERS: IHeaders = Object.freeze({});

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

export function contextOf(batch: RecordBatch): FetchedMessage["batchContext"] {
  return { producerId: batch.producerId, inTransaction: isInTransaction(batch) };
}

export function isInTransaction({ attributes }: RecordBatch): boolean {
  return (attributes & IS_IN_TRANSACTION) !== 0;
}

/** True for a batch of Kafka's own records, which end transactions. */
export function isControl({ attributes }: RecordBatch): boolean {
  return (attributes & IS_CONTROL) !== 0;
}

/** The time of all messages of a batch whose times the broker sets; null: each has its own. */
export function appendTimeOf({ attributes, maxTimestamp }: RecordBatch): number | null {
  return attributes & IS_LOG_APPEND_TIME ? maxTimestamp : null;
}

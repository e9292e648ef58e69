import type { IHeaders } from "kafkajs";
import { ByteReader, MalformedBytes } from "./byte-reader.ts";
import {
  appendTimeOf,
  contextOf,
  type FetchedMessage,
  isControl,
  NO_HEADERS,
  type RecordBatch,
} from "./record-batch.ts";

/**
 * The records of a batch in offset order, still as bytes: number `i` has its value, without the message
 * around it, at `[valueAt[i], valueEnd[i])` of `bytes`, and its headers behind that (`HeaderFinder`).
 */
export interface RecordTable {
  readonly bytes: Buffer;
  readonly count: number;
  readonly offsets: Float64Array;
  /** -1: the record has no value, or it stands for a batch that is refused. */
  readonly valueAt: Int32Array;
  /** -1: it stands for a batch that is refused. */
  readonly valueEnd: Int32Array;
  message(index: number): FetchedMessage;
}

/** Of any record: its length, attributes, and five numbers. */
const LEAST_RECORD_BYTES = 7;

/**
 * Finds the unpacked records of a batch, with at most `mostHeaders` headers together. Throws
 * MalformedBytes unless all of them are whole and in order.
 */
export function findRecords(
  batch: RecordBatch,
  bytes: Buffer,
  mostHeaders: number,
): { readonly table: RecordTable; readonly headers: number } {
  const count = Math.max(0, batch.count);
  if (count * LEAST_RECORD_BYTES > bytes.length) throw new MalformedBytes("bytes are missing");
  const reader = new ByteReader(bytes);
  const table = new Table(batch, bytes, count);
  let headers = 0;
  for (let index = 0; index < count; index += 1) {
    headers += table.find(reader, index, mostHeaders - headers);
    if (headers > mostHeaders) throw new MalformedBytes(`it has more than ${mostHeaders} headers`);
  }
  if (reader.at !== bytes.length) throw new MalformedBytes("bytes are left after its records");
  return { table, headers };
}

class Table implements RecordTable {
  readonly bytes: Buffer;
  readonly count: number;
  readonly offsets: Float64Array;
  readonly valueAt: Int32Array;
  readonly valueEnd: Int32Array;
  /** Where each record begins, behind its length. */
  readonly #recordAt: Int32Array;
  readonly #batch: RecordBatch;
  readonly #first: number;
  readonly #last: number;
  #before: number;

  constructor(batch: RecordBatch, bytes: Buffer, count: number) {
    this.bytes = bytes;
    this.count = count;
    this.offsets = new Float64Array(count);
    this.valueAt = new Int32Array(count);
    this.valueEnd = new Int32Array(count);
    this.#recordAt = new Int32Array(count);
    this.#batch = batch;
    this.#first = Number(batch.firstOffset);
    this.#last = Number(batch.lastOffset);
    this.#before = this.#first - 1;
  }

  /**
   * Reads past a record, notes where its parts are, and returns how many headers it has. Those of one with
   * more than `mostHeaders` are not looked at.
   */
  find(reader: ByteReader, index: number, mostHeaders: number): number {
    const length = reader.varint();
    const at = reader.at;
    reader.at += 1;
    reader.varlong();
    const offset = this.#first + reader.varint();
    reader.skipVarbytes();
    const valueLength = reader.skipVarbytes();
    const valueEnd = reader.at;
    const headers = reader.varint();
    if (headers < 0) throw new MalformedBytes("a record has fewer than no headers");
    if (headers > mostHeaders) return headers;
    for (let left = 2 * headers; left > 0; left -= 1) reader.skipVarbytes();
    if (reader.at !== at + length) throw new MalformedBytes("a record is not as long as it states");
    if (offset <= this.#before || offset > this.#last) {
      throw new MalformedBytes("an offset is out of order");
    }
    this.#before = offset;
    this.offsets[index] = offset;
    this.#recordAt[index] = at;
    this.valueAt[index] = valueLength >= 0 ? valueEnd - valueLength : -1;
    this.valueEnd[index] = valueEnd;
    return headers;
  }

  message(index: number): FetchedMessage {
    const reader = new ByteReader(this.bytes);
    reader.at = (this.#recordAt[index] ?? 0) + 1;
    const timestampDelta = reader.varlong();
    const time = appendTimeOf(this.#batch) ?? this.#batch.firstTimestamp + timestampDelta;
    const offset = this.#first + reader.varint();
    return {
      attributes: 0,
      timestamp: String(time),
      offset: String(offset),
      key: reader.varbytes(),
      value: reader.varbytes(),
      headers: readHeaders(reader),
      isControlRecord: isControl(this.#batch),
      batchContext: contextOf(this.#batch),
    };
  }
}

function readHeaders(reader: ByteReader): IHeaders {
  const count = reader.varint();
  if (count === 0) return NO_HEADERS;
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

/** A table of one message, which has no value of its own. */
export function tableOf(message: FetchedMessage): RecordTable {
  return {
    bytes: NO_BYTES,
    count: 1,
    offsets: Float64Array.of(Number(message.offset)),
    valueAt: Int32Array.of(-1),
    valueEnd: Int32Array.of(-1),
    message: () => message,
  };
}

const NO_BYTES = Buffer.alloc(0);

import type { Instant } from "../../core/line/account.ts";
import { MAX_BIGINT } from "../../core/line/credit-line.ts";
import { UUID_BYTES, writeUuid } from "./uuid-bytes.ts";

// "PGCOPY\n\xff\r\n\0", no flags, no header extension.
const HEADER = Buffer.from("5047434f50590aff0d0a000000000000000000", "hex");
const FIRST_SIZE = 8 << 10;
const MILLIS_AT_2000 = 946_684_800_000;
const TWO_TO_32 = 2 ** 32;
const JSONB_VERSION = 1;
const OID = { bool: 16, int2: 21, int4: 23, int8: 20, text: 25, jsonb: 3802, uuid: 2950 };

/** Builds the bytes of a binary COPY, in pieces. Rows are written field by field. */
export class CopyBuffer {
  #bytes = Buffer.allocUnsafeSlow(FIRST_SIZE);
  // A DataView writes 64-bit integers several times as fast as a Buffer does.
  #view = new DataView(this.#bytes.buffer);
  #length = HEADER.copy(this.#bytes);

  startRow(fields: number): void {
    this.#reserve(2);
    this.#view.setInt16(this.#length, fields);
    this.#length += 2;
  }

  text(value: string): void {
    this.#reserve(4 + value.length * 3);
    const written = this.#bytes.write(value, this.#length + 4);
    this.#view.setInt32(this.#length, written);
    this.#length += 4 + written;
  }

  /** The text of a JSON document. */
  jsonb(value: string): void {
    this.#reserve(5 + value.length * 3);
    const written = this.#bytes.write(value, this.#length + 5);
    this.#view.setInt32(this.#length, written + 1);
    this.#view.setInt8(this.#length + 4, JSONB_VERSION);
    this.#length += 5 + written;
  }

  /** A UUID as it is written. */
  uuid(value: string): void {
    this.#reserve(4 + UUID_BYTES);
    this.#view.setInt32(this.#length, UUID_BYTES);
    writeUuid(value, this.#bytes, this.#length + 4);
    this.#length += 4 + UUID_BYTES;
  }

  /** 16 bytes from `from` on. */
  uuidBytes(bytes: Uint8Array, from: number): void {
    this.#reserve(4 + UUID_BYTES);
    this.#view.setInt32(this.#length, UUID_BYTES);
    for (let index = 0; index < UUID_BYTES; index += 1) {
      this.#bytes[this.#length + 4 + index] = bytes[from + index] ?? 0;
    }
    this.#length += 4 + UUID_BYTES;
  }

  /** An array of `count` values; as for the other arrays, `at` gives the one at an index. */
  textArray(count: number, at: (index: number) => string): void {
    const start = this.#startArray(OID.text, count);
    for (let index = 0; index < count; index += 1) this.text(at(index));
    this.#endArray(start);
  }

  jsonbArray(count: number, at: (index: number) => string): void {
    const start = this.#startArray(OID.jsonb, count);
    for (let index = 0; index < count; index += 1) this.jsonb(at(index));
    this.#endArray(start);
  }

  uuidArray(count: number, at: (index: number) => string): void {
    const start = this.#startArray(OID.uuid, count);
    for (let index = 0; index < count; index += 1) this.uuid(at(index));
    this.#endArray(start);
  }

  boolArray(count: number, at: (index: number) => boolean): void {
    const start = this.#startArray(OID.bool, count);
    for (let index = 0; index < count; index += 1) this.#bool(at(index));
    this.#endArray(start);
  }

  #bool(value: boolean): void {
    this.#reserve(5);
    this.#view.setInt32(this.#length, 1);
    this.#view.setInt8(this.#length + 4, value ? 1 : 0);
    this.#length += 5;
  }

  int2Array(count: number, at: (index: number) => number): void {
    const start = this.#startArray(OID.int2, count);
    for (let index = 0; index < count; index += 1) this.int2(at(index));
    this.#endArray(start);
  }

  int4Array(count: number, at: (index: number) => number): void {
    const start = this.#startArray(OID.int4, count);
    for (let index = 0; index < count; index += 1) this.int4(at(index));
    this.#endArray(start);
  }

  int8Array(count: number, at: (index: number) => bigint | number): void {
    const start = this.#startArray(OID.int8, count);
    for (let index = 0; index < count; index += 1) this.int8(at(index));
    this.#endArray(start);
  }

  /** One dimension, no nulls, from 1 on. */
  #startArray(oid: number, count: number): number {
    this.#reserve(24);
    const start = this.#length;
    const view = this.#view;
    view.setInt32(start + 4, 1);
    view.setInt32(start + 8, 0);
    view.setInt32(start + 12, oid);
    view.setInt32(start + 16, count);
    view.setInt32(start + 20, 1);
    this.#length += 24;
    return start;
  }

  #endArray(start: number): void {
    this.#view.setInt32(start, this.#length - start - 4);
  }

  null(): void {
    this.#reserve(4);
    this.#view.setInt32(this.#length, -1);
    this.#length += 4;
  }

  int2(value: number): void {
    this.#reserve(6);
    this.#view.setInt32(this.#length, 2);
    this.#view.setInt16(this.#length + 4, value);
    this.#length += 6;
  }

  int4(value: number): void {
    this.#reserve(8);
    this.#view.setInt32(this.#length, 4);
    this.#view.setInt32(this.#length + 4, value);
    this.#length += 8;
  }

  /** 16 bytes for each; `at` gives where they are in `bytes`. */
  uuidBytesArray(count: number, bytes: Uint8Array, at: (index: number) => number): void {
    const start = this.#startArray(OID.uuid, count);
    for (let index = 0; index < count; index += 1) this.uuidBytes(bytes, at(index));
    this.#endArray(start);
  }

  /** Throws a RangeError for a value beyond 64 bits, which a DataView would truncate, or no safe integer. */
  int8(value: bigint | number): void {
    if (typeof value === "number") {
      if (!Number.isSafeInteger(value)) throw new RangeError(`${value} in an int8`);
      this.#double(value);
      return;
    }
    if (value > MAX_BIGINT || value < -MAX_BIGINT - 1n) throw new RangeError(`${value} in an int8`);
    this.#reserve(12);
    this.#view.setInt32(this.#length, 8);
    this.#view.setBigInt64(this.#length + 4, value);
    this.#length += 12;
  }

  /** Postgres counts microseconds from 2000. */
  timestamptz(value: Instant): void {
    this.#double((value - MILLIS_AT_2000) * 1000);
  }

  #double(value: number): void {
    const high = Math.floor(value / TWO_TO_32);
    this.#reserve(12);
    this.#view.setInt32(this.#length, 8);
    this.#view.setInt32(this.#length + 4, high);
    this.#view.setUint32(this.#length + 8, value - high * TWO_TO_32);
    this.#length += 12;
  }

  /** The number of bytes to take. */
  get length(): number {
    return this.#length;
  }

  /** The bytes so far; what is written afterwards follows them. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#use(Buffer.allocUnsafeSlow(this.#bytes.length), 0);
    return taken;
  }

  /** Ends the rows and returns the bytes not taken. Do not write to the buffer afterwards. */
  finish(): Buffer {
    this.#reserve(2);
    this.#view.setInt16(this.#length, -1);
    this.#length += 2;
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#length + bytes));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#use(grown, this.#length);
  }

  #use(bytes: Buffer<ArrayBuffer>, length: number): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
    this.#length = length;
  }
}

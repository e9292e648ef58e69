import type { Instant } from "../../core/line/account.ts";
import { MAX_BIGINT } from "../../core/line/credit-line.ts";

// "PGCOPY\n\xff\r\n\0", no flags, no header extension.
const HEADER = Buffer.from("5047434f50590aff0d0a000000000000000000", "hex");
const FIRST_SIZE = 8 << 10;
const MILLIS_AT_2000 = 946_684_800_000;
const TWO_TO_32 = 2 ** 32;
const JSONB_VERSION = 1;
const OID = { int2: 21, int4: 23, int8: 20, text: 25, jsonb: 3802, uuid: 2950 };
const UUID_BYTES = 16;

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

  /** 32 hexadecimal digits, or a UUID as it is written. */
  uuid(value: string): void {
    this.#reserve(4 + UUID_BYTES);
    this.#view.setInt32(this.#length, UUID_BYTES);
    const digits = value.length === 2 * UUID_BYTES ? value : value.replaceAll("-", "");
    this.#bytes.write(digits, this.#length + 4, "hex");
    this.#length += 4 + UUID_BYTES;
  }

  textArray(values: readonly string[]): void {
    this.#array(OID.text, values, (value) => this.text(value));
  }

  jsonbArray(values: readonly string[]): void {
    this.#array(OID.jsonb, values, (value) => this.jsonb(value));
  }

  uuidArray(values: readonly string[]): void {
    this.#array(OID.uuid, values, (value) => this.uuid(value));
  }

  int2Array(values: readonly number[]): void {
    this.#array(OID.int2, values, (value) => this.int2(value));
  }

  int4Array(values: readonly number[]): void {
    this.#array(OID.int4, values, (value) => this.int4(value));
  }

  int8Array(values: readonly bigint[]): void {
    this.#array(OID.int8, values, (value) => this.int8(value));
  }

  #array<T>(oid: number, values: readonly T[], put: (value: T) => void): void {
    this.#reserve(24);
    const start = this.#length;
    this.#length += 4;
    for (const word of [1, 0, oid, values.length, 1]) {
      this.#view.setInt32(this.#length, word);
      this.#length += 4;
    }
    for (const value of values) put(value);
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

  /** Throws a RangeError for a value beyond 64 bits, which a DataView would truncate. */
  int8(value: bigint): void {
    if (value > MAX_BIGINT || value < -MAX_BIGINT - 1n) throw new RangeError(`${value} in an int8`);
    this.#reserve(12);
    this.#view.setInt32(this.#length, 8);
    this.#view.setBigInt64(this.#length + 4, value);
    this.#length += 12;
  }

  /** Postgres counts microseconds from 2000. */
  timestamptz(value: Instant): void {
    const micros = (value - MILLIS_AT_2000) * 1000;
    const high = Math.floor(micros / TWO_TO_32);
    this.#reserve(12);
    this.#view.setInt32(this.#length, 8);
    this.#view.setInt32(this.#length + 4, high);
    this.#view.setUint32(this.#length + 8, micros - high * TWO_TO_32);
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

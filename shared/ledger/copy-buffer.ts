import type { Instant } from "../core/account.ts";

// "PGCOPY\n\xff\r\n\0", no flags, no header extension.
const HEADER = Buffer.from("5047434f50590aff0d0a000000000000000000", "hex");
const FIRST_SIZE = 1 << 20;
const MILLIS_AT_2000 = 946_684_800_000;
const TWO_TO_32 = 2 ** 32;

/** Builds the bytes of one binary COPY in a single buffer that grows. Rows are written field by field. */
export class CopyBuffer {
  #bytes = Buffer.allocUnsafe(FIRST_SIZE);
  #length = HEADER.copy(this.#bytes);

  startRow(fields: number): void {
    this.#reserve(2);
    this.#length = this.#bytes.writeInt16BE(fields, this.#length);
  }

  text(value: string): void {
    this.#reserve(4 + value.length * 3);
    const written = this.#bytes.write(value, this.#length + 4);
    this.#bytes.writeInt32BE(written, this.#length);
    this.#length += 4 + written;
  }

  jsonb(value: string): void {
    this.#reserve(5 + value.length * 3);
    const written = this.#bytes.write(value, this.#length + 5);
    this.#bytes.writeInt32BE(written + 1, this.#length);
    this.#bytes[this.#length + 4] = 1;
    this.#length += 5 + written;
  }

  null(): void {
    this.#reserve(4);
    this.#length = this.#bytes.writeInt32BE(-1, this.#length);
  }

  int4(value: number): void {
    this.#reserve(8);
    this.#length = this.#bytes.writeInt32BE(4, this.#length);
    this.#length = this.#bytes.writeInt32BE(value, this.#length);
  }

  int8(value: bigint): void {
    this.#reserve(12);
    this.#length = this.#bytes.writeInt32BE(8, this.#length);
    this.#length = this.#bytes.writeBigInt64BE(value, this.#length);
  }

  /** Postgres counts microseconds from 2000. */
  timestamptz(value: Instant): void {
    const micros = (value - MILLIS_AT_2000) * 1000;
    this.#reserve(12);
    this.#length = this.#bytes.writeInt32BE(8, this.#length);
    this.#length = this.#bytes.writeInt32BE(Math.floor(micros / TWO_TO_32), this.#length);
    this.#length = this.#bytes.writeUInt32BE(
      micros - Math.floor(micros / TWO_TO_32) * TWO_TO_32,
      this.#length,
    );
  }

  /** Ends the rows; the buffer is not to be written afterwards. */
  finish(): Buffer {
    this.#reserve(2);
    this.#length = this.#bytes.writeInt16BE(-1, this.#length);
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + bytes));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

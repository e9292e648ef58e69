import type avro from "avsc";

/** In the arrays of one message together: nulls, records without fields. */
const MOST_EMPTY_ITEMS = 10_000;
const SCRATCH = Buffer.alloc(8);

/**
 * What Avro values are read from, in the place of avsc's own Tap (5.7.9). That one never fails: past the
 * end it reads zeros, so that values can go on for ever, and a length may move it backwards. Here every
 * method that would leave the bytes throws, so reading takes no longer than there are bytes.
 */
export class BoundedTap {
  readonly buf: Buffer;
  pos: number;
  #emptyItems = 0;
  /** The two halves of the last number, as it is written: the sign in the lowest bit. */
  #low = 0;
  #high = 0;

  constructor(buf: Buffer, pos: number) {
    this.buf = buf;
    this.pos = pos;
  }

  /** Call it for each item of an array that has not moved the position. */
  countEmptyItem(): void {
    this.#emptyItems += 1;
    if (this.#emptyItems > MOST_EMPTY_ITEMS) {
      throw new Error(`more than ${MOST_EMPTY_ITEMS} items of arrays take no bytes`);
    }
  }

  isValid(): boolean {
    return true;
  }

  readBoolean(): boolean {
    return this.buf[this.#take(1)] !== 0;
  }

  readInt(): number {
    const value = this.readLong();
    if (value !== (value | 0)) throw new Error("an int is longer than 32 bits");
    return value;
  }

  /** Exact up to 2^53. */
  readLong(): number {
    const first = this.buf[this.pos];
    if (first !== undefined && first < 0x80) {
      this.pos += 1;
      return (first >>> 1) ^ -(first & 1);
    }
    this.#readVarint();
    const half = (this.#high >>> 1) * 2 ** 32 + (((this.#high << 31) | (this.#low >>> 1)) >>> 0);
    return (this.#low & 1) === 0 ? half : -half - 1;
  }

  /** A long as eight bytes, little-endian, which the next call overwrites. */
  unpackLongBytes(): Buffer {
    this.#readVarint();
    const sign = -(this.#low & 1);
    SCRATCH.writeInt32LE(((this.#high << 31) | (this.#low >>> 1)) ^ sign, 0);
    SCRATCH.writeInt32LE((this.#high >>> 1) ^ sign, 4);
    return SCRATCH;
  }

  readFloat(): number {
    return this.buf.readFloatLE(this.#take(4));
  }

  readDouble(): number {
    return this.buf.readDoubleLE(this.#take(8));
  }

  readFixed(length: number): Buffer {
    const from = this.#take(length);
    return Buffer.from(this.buf.subarray(from, from + length));
  }

  readBytes(): Buffer {
    return this.readFixed(this.readLong());
  }

  readString(): string {
    const length = this.readLong();
    const from = this.#take(length);
    return this.buf.toString("utf8", from, from + length);
  }

  skipBoolean(): void {
    this.#take(1);
  }

  skipInt(): void {
    this.readInt();
  }

  skipLong(): void {
    this.#readVarint();
  }

  skipFloat(): void {
    this.#take(4);
  }

  skipDouble(): void {
    this.#take(8);
  }

  skipFixed(length: number): void {
    this.#take(length);
  }

  skipBytes(): void {
    this.#take(this.readLong());
  }

  skipString(): void {
    this.skipBytes();
  }

  /** Moves on by `length` bytes and returns where they begin. */
  #take(length: number): number {
    const from = this.pos;
    if (!(length >= 0 && length <= this.buf.length - from)) {
      throw new Error(`what takes ${length} bytes at ${from} does not fit into ${this.buf.length}`);
    }
    this.pos = from + length;
    return from;
  }

  #readVarint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.buf[this.#take(1)] ?? 0;
      const bits = byte & 0x7f;
      if (shift < 32) low |= bits << shift;
      if (shift > 31) high |= bits << (shift - 32);
      else if (shift === 28) high |= bits >>> 4;
      if (byte < 0x80) {
        if (shift === 63 && bits > 1) break;
        this.#low = low;
        this.#high = high;
        return;
      }
    }
    throw new Error("a number is longer than 64 bits");
  }
}

/** What a type and a resolver of avsc can do, which its declarations leave out. */
export interface ReadsTap {
  _read(tap: BoundedTap): unknown;
  _skip(tap: BoundedTap): void;
}

/**
 * Reads a value from `from` on and returns it with its end; a resolver converts it from another schema.
 * Throws for bytes that are no such value. All types must be made with our `typeHook`.
 */
export function readBounded(
  type: avro.Type | avro.Resolver,
  bytes: Buffer,
  from: number,
): { readonly value: unknown; readonly end: number } {
  const tap = new BoundedTap(bytes, from);
  try {
    const value = (type as unknown as ReadsTap)._read(tap);
    return { value, end: tap.pos };
  } catch (error) {
    throw new Error(inWords(error as Error), { cause: error });
  }
}

/** What avsc does not check: the branch of a union that it skips, and how deep values are. */
function inWords(error: Error): string {
  if (error instanceof RangeError) return "its values are nested too deeply";
  return error instanceof TypeError
    ? "it names a branch that its union does not have"
    : error.message;
}

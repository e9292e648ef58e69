/** The bytes are not what they should be. */
export class MalformedBytes extends Error {}

/** Reads the primitive types of Kafka's protocol, one after the other. Throws MalformedBytes at the end. */
export class ByteReader {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  int16(): number {
    return this.bytes.readInt16BE(this.#take(2));
  }

  int32(): number {
    return this.bytes.readInt32BE(this.#take(4));
  }

  int64(): bigint {
    return this.bytes.readBigInt64BE(this.#take(8));
  }

  /** UTF-8 after its length in 16 bits. */
  text(): string {
    return this.take(this.int16()).toString();
  }

  /** An array after its length in 32 bits; -1 is an empty one. */
  array<T>(read: () => T): T[] {
    const items: T[] = [];
    for (let left = this.int32(); left > 0; left -= 1) items.push(read());
    return items;
  }

  /** 32 bits in zigzag. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    }
    throw new MalformedBytes("a number has more than 5 bytes");
  }

  /** 64 bits in zigzag, exact up to 2^53. */
  varlong(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 70; scale *= 128) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    throw new MalformedBytes("a number has more than 10 bytes");
  }

  /** Bytes after their length as a varint; -1 is null. */
  varbytes(): Buffer | null {
    const length = this.varint();
    return length === -1 ? null : this.take(length);
  }

  /** Moves past what `varbytes` would read and returns its length; -1: null. */
  skipVarbytes(): number {
    const length = this.varint();
    if (length !== -1) this.#take(length);
    return length;
  }

  take(length: number): Buffer {
    const from = this.#take(length);
    return this.bytes.subarray(from, this.at);
  }

  #byte(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw new MalformedBytes("bytes are missing");
    this.at += 1;
    return byte;
  }

  #take(length: number): number {
    const from = this.at;
    if (length < 0 || from + length > this.bytes.length) {
      throw new MalformedBytes(`${this.bytes.length - from} bytes are left of ${length}`);
    }
    this.at = from + length;
    return from;
  }
}

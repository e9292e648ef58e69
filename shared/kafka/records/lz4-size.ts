import { MalformedBytes } from "./byte-reader.ts";

/** In little-endian. Libraries also unpack a format of old, whose blocks begin elsewhere. */
const MAGIC = 0x184d2204;
const MAGIC_BYTES = 4;
const HAS_BLOCK_CHECKSUM = 0x10;
const HAS_CONTENT_SIZE = 0x08;
const HAS_DICTIONARY = 0x01;
const IS_STORED = 0x8000_0000;
const LEAST_MATCH = 4;

/**
 * What an LZ4 frame unpacks to, in bytes, found without unpacking: no library of LZ4 bounds its output,
 * and the size that a frame may state of itself need not be true. Of malformed bytes, the size up to
 * where they break off. Throws MalformedBytes for what does not begin as a frame.
 */
export function lz4Size(frame: Buffer): number {
  if (frame.length < MAGIC_BYTES || frame.readUInt32LE(0) !== MAGIC) {
    throw new MalformedBytes("it does not begin as a frame of LZ4");
  }
  const flags = frame[MAGIC_BYTES] ?? 0;
  let at = MAGIC_BYTES + 3 + (flags & HAS_CONTENT_SIZE ? 8 : 0) + (flags & HAS_DICTIONARY ? 4 : 0);
  let size = 0;
  while (at + 4 <= frame.length) {
    const word = frame.readUInt32LE(at);
    if (word === 0) break;
    const length = word & ~IS_STORED;
    at += 4;
    size += word >= IS_STORED ? length : blockSize(frame, at, Math.min(at + length, frame.length));
    at += length + (flags & HAS_BLOCK_CHECKSUM ? 4 : 0);
  }
  return size;
}

/** A block is sequences: a token of two lengths, literals, and an offset back to what is repeated. */
function blockSize(frame: Buffer, from: number, end: number): number {
  let at = from;
  let size = 0;
  while (at < end) {
    const token = frame[at++] ?? 0;
    const literals = lengthOf(token >> 4);
    size += literals;
    at += literals;
    if (at >= end) break;
    at += 2;
    size += LEAST_MATCH + lengthOf(token & 0x0f);
  }
  return size;

  /** 15 is followed by bytes to add, up to the first that is not 255. */
  function lengthOf(nibble: number): number {
    if (nibble < 15) return nibble;
    let length = 15;
    let byte = 255;
    while (byte === 255 && at < end) {
      byte = frame[at++] ?? 0;
      length += byte;
    }
    return length;
  }
}

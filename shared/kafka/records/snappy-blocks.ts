import { ByteReader, MalformedBytes } from "./byte-reader.ts";

/** What Java's producers begin with; other producers send one block and nothing else. */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const VERSIONS_BYTES = 8;

/** The blocks of Snappy that a batch is made of. Throws MalformedBytes. */
export function snappyBlocks(bytes: Buffer): Buffer[] {
  if (!bytes.subarray(0, XERIAL.length).equals(XERIAL)) return [bytes];
  const reader = new ByteReader(bytes);
  reader.take(XERIAL.length + VERSIONS_BYTES);
  const blocks: Buffer[] = [];
  while (reader.at < bytes.length) blocks.push(reader.take(reader.int32()));
  return blocks;
}

/** What a block unpacks to, in bytes, as it begins with: the library refuses a block that differs. */
export function snappySize(block: Buffer): number {
  let size = 0;
  for (let at = 0; at < 5; at += 1) {
    const byte = block[at] ?? 0;
    size += (byte & 0x7f) * 128 ** at;
    if (byte < 0x80) return size;
  }
  throw new MalformedBytes("a block does not begin with its size");
}

import zlib from "node:zlib";
import { compressFrameSync } from "lz4-napi";
import { compressSync } from "snappy";
import type { Codec } from "../../../shared/kafka/records/unpack.ts";

const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
const XERIAL_BLOCK = 32 << 10;

/** Packs as producers do. */
export const PACK: Readonly<Record<Codec | "snappy of Java", (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => zlib.gzipSync(bytes),
  snappy: (bytes) => compressSync(bytes),
  "snappy of Java": (bytes) => Buffer.concat([XERIAL, ...xerialBlocks(bytes)]),
  lz4: (bytes) => compressFrameSync(bytes, { contentChecksum: true }),
  zstd: (bytes) => zlib.zstdCompressSync(bytes),
};

/** The attributes of a batch that is packed so. */
export const CODEC_NUMBER: Readonly<Record<keyof typeof PACK, number>> = {
  gzip: 1,
  snappy: 2,
  "snappy of Java": 2,
  lz4: 3,
  zstd: 4,
};

function* xerialBlocks(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += XERIAL_BLOCK) {
    const block = compressSync(bytes.subarray(at, at + XERIAL_BLOCK));
    const length = Buffer.alloc(4);
    length.writeInt32BE(block.length);
    yield length;
    yield block;
  }
}

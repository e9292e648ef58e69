import { promisify } from "node:util";
import zlib from "node:zlib";
import { decompressFrame } from "lz4-napi";
import { uncompressSync } from "snappy";
import { lz4Size } from "./lz4-size.ts";
import { snappyBlocks, snappySize } from "./snappy-blocks.ts";

/** How Kafka's producers compress, by the number in a record batch. */
export const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"] as const;
export type Codec = Exclude<(typeof CODECS)[number], "none">;

export type Unpacked =
  | { readonly kind: "unpacked"; readonly bytes: Buffer }
  /** `spent`: as many bytes were unpacked to find out. */
  | { readonly kind: "too_large"; readonly spent: number }
  | { readonly kind: "malformed"; readonly why: string };

const unzip = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.unzip);
const unzstd = promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);

/** Unpacks to at most `limit` bytes, and takes no more memory than these. */
export async function unpack(codec: Codec, bytes: Buffer, limit: number): Promise<Unpacked> {
  try {
    const whole = await unpackWith(codec, bytes, limit);
    return whole === null ? { kind: "too_large", spent: 0 } : { kind: "unpacked", bytes: whole };
  } catch (error) {
    if (isOverLimit(error)) return { kind: "too_large", spent: limit };
    return { kind: "malformed", why: (error as Error).message };
  }
}

/** Null: too large by its own account. */
async function unpackWith(codec: Codec, bytes: Buffer, limit: number): Promise<Buffer | null> {
  switch (codec) {
    case "gzip":
      return unzip(bytes, { maxOutputLength: limit });
    case "zstd":
      return unzstd(bytes, { maxOutputLength: limit });
    case "lz4":
      return lz4Size(bytes) > limit ? null : decompressFrame(bytes);
    case "snappy": {
      const blocks = snappyBlocks(bytes);
      const size = blocks.reduce((sum, block) => sum + snappySize(block), 0);
      if (size > limit) return null;
      return Buffer.concat(blocks.map(unpackBlock), size);
    }
  }
}

/** Not in a thread of its own: Java's blocks are 32 KiB, and there may be many. */
function unpackBlock(block: Buffer): Buffer {
  const bytes = uncompressSync(block, { asBuffer: true });
  return typeof bytes === "string" ? Buffer.from(bytes) : bytes;
}

function isOverLimit(error: unknown): boolean {
  return error instanceof RangeError && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}

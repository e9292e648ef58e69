import { promisify } from "node:util";
import zlib from "node:zlib";
import { lz4Size } from "./lz4-size.ts";
import { snappyBlocks, snappySize } from "./snappy-blocks.ts";

/** How Kafka's producers compress, by the number in a record batch. */
export const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"] as const;
export type Codec = Exclude<(typeof CODECS)[number], "none">;

/** `spent`: what it took, in bytes that were unpacked. */
export type Unpacked =
  | { readonly kind: "unpacked"; readonly bytes: Buffer; readonly spent: number }
  | { readonly kind: "too_large"; readonly spent: number }
  | { readonly kind: "malformed"; readonly why: string };

const unzip = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.unzip);

/** What the client's package does not bring, and Node 20 lacks, is loaded by whoever meets it. */
const load = {
  lz4: async () => (await import("lz4-napi")).decompressFrame,
  snappy: async () => (await import("snappy")).uncompressSync,
  zstd: async () => promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress),
};

/** However small a block is, unpacking it costs time: it counts as at least this. Java's have 32 KiB. */
const LEAST_BLOCK_BYTES = 1 << 10;

/** Unpacks to at most `limit` bytes, and takes no more memory than that. */
export async function unpack(codec: Codec, bytes: Buffer, limit: number): Promise<Unpacked> {
  try {
    switch (codec) {
      case "gzip":
        return unpacked(await unzip(bytes, { maxOutputLength: limit }));
      case "zstd":
        return unpacked(await (await load.zstd())(bytes, { maxOutputLength: limit }));
      case "lz4":
        return lz4Size(bytes) > limit ? TOO_LARGE : unpacked(await (await load.lz4())(bytes));
      case "snappy":
        return unpackSnappy(bytes, limit, await load.snappy());
    }
  } catch (error) {
    if (isOverLimit(error)) return { kind: "too_large", spent: limit };
    return { kind: "malformed", why: (error as Error).message };
  }
}

/** Found without unpacking. */
const TOO_LARGE: Unpacked = { kind: "too_large", spent: 0 };

function unpacked(bytes: Buffer, spent = bytes.length): Unpacked {
  return { kind: "unpacked", bytes, spent };
}

type Uncompress = Awaited<ReturnType<typeof load.snappy>>;

function unpackSnappy(bytes: Buffer, limit: number, uncompress: Uncompress): Unpacked {
  const blocks = snappyBlocks(bytes);
  const size = blocks.reduce((sum, block) => sum + snappySize(block), 0);
  const spent = Math.max(size, (blocks.length - 1) * LEAST_BLOCK_BYTES);
  if (spent > limit) return TOO_LARGE;
  const parts = blocks.map((block) => unpackBlock(block, uncompress));
  return unpacked(Buffer.concat(parts, size), spent);
}

function unpackBlock(block: Buffer, uncompress: Uncompress): Buffer {
  const bytes = uncompress(block, { asBuffer: true });
  return typeof bytes === "string" ? Buffer.from(bytes) : bytes;
}

function isOverLimit(error: unknown): boolean {
  return error instanceof RangeError && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}

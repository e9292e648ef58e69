import zlib from "node:zlib";
import { long } from "./usage-bytes.ts";

const MEMBER_BYTES = 1 << 20;

/** The records of a batch with one message of so many mebibytes of zeros, in gzip: a kilobyte for each. */
export function gzipBomb(mebibytes: number): Buffer {
  const size = mebibytes * MEMBER_BYTES;
  const head = Buffer.concat([Buffer.from([0, 0, 0, 1]), long(BigInt(size))]);
  const length = long(BigInt(head.length + size + 1));
  const zeros = zlib.gzipSync(Buffer.alloc(MEMBER_BYTES), { level: 9 });
  return Buffer.concat([
    zlib.gzipSync(Buffer.concat([length, head])),
    ...Array.from({ length: mebibytes }, () => zeros),
    zlib.gzipSync(Buffer.alloc(1)),
  ]);
}

import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { compressFrameSync, decompressFrame } from "lz4-napi";
import { describe, expect, test } from "vitest";
import { lz4Size } from "../../../shared/kafka/records/lz4-size.ts";
import { unpack } from "../../../shared/kafka/records/unpack.ts";
import { fuzzing } from "../../fuzz/budget.ts";
import { PACK } from "../../support/kafka/pack.ts";

const ZEROS = Buffer.alloc(1_000_000);
const MIXED = Buffer.concat([randomBytes(70_000), ZEROS, Buffer.from("usage ".repeat(40_000))]);
const LIMIT = 20_000;
const WAYS = [
  { name: "gzip", codec: "gzip", pack: PACK.gzip },
  { name: "snappy", codec: "snappy", pack: PACK.snappy },
  { name: "snappy of Java", codec: "snappy", pack: PACK["snappy of Java"] },
  { name: "lz4", codec: "lz4", pack: PACK.lz4 },
  { name: "zstd", codec: "zstd", pack: PACK.zstd },
] as const;

describe.each(WAYS)("$name", ({ pack, codec }) => {
  test.each([
    { what: "nothing", bytes: Buffer.alloc(0) },
    { what: "one byte", bytes: Buffer.from("a") },
    { what: "zeros", bytes: ZEROS },
    { what: "text, zeros and noise", bytes: MIXED },
  ])("unpacks $what up to its very size, and refuses it at a byte less", async ({ bytes }) => {
    const packed = pack(bytes);
    const limit = Math.max(1, bytes.length);
    const result = await unpack(codec, packed, limit);
    expect(result.kind === "unpacked" && result.bytes.equals(bytes)).toBe(true);
    if (bytes.length < 2) return;
    expect(await unpack(codec, packed, limit - 1)).toMatchObject({ kind: "too_large" });
  });

  test("gives at most as many bytes, and no error, whatever a producer sends", async () => {
    const packed = pack(MIXED.subarray(60_000, 90_000));
    const change = fc.record({
      from: fc.nat(packed.length),
      length: fc.nat(6),
      bytes: fc.uint8Array({ maxLength: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 4 }), async (changes) => {
        const result = await unpack(codec, changed(packed, changes), LIMIT);
        if (result.kind === "unpacked") expect(result.bytes.length).toBeLessThanOrEqual(LIMIT);
      }),
      fuzzing(0.3),
    );
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (noise) => {
        await unpack(codec, Buffer.from(noise), LIMIT);
      }),
    );
  });

  test("says what is wrong with bytes that break off", async () => {
    const packed = pack(MIXED);
    const result = await unpack(codec, packed.subarray(0, packed.length / 2), MIXED.length);
    expect(result).toMatchObject({ kind: "malformed", why: expect.stringMatching(/\w/) });
  });
});

test("the size of an LZ4 frame is that of its blocks, whatever it states", () => {
  const frame = compressFrameSync(MIXED, { blockChecksums: true, contentChecksum: true });
  expect(lz4Size(frame)).toBe(MIXED.length);
  const states = Buffer.from(frame);
  states.writeUInt8((frame[4] ?? 0) | 0x08, 4);
  const size = Buffer.alloc(8);
  const lying = Buffer.concat([states.subarray(0, 6), size, states.subarray(6)]);
  expect(lz4Size(lying)).toBe(MIXED.length);
});

test("a frame of LZ4's old format is refused: its size would not be found", async () => {
  const match = Buffer.alloc(32_001, 255);
  const block = Buffer.concat([Buffer.from([0xcf]), Buffer.alloc(12), Buffer.from([1, 0]), match]);
  const whole = Buffer.concat([block, Buffer.from([0, 0x50, 1, 2, 3, 4, 5])]);
  const old = Buffer.concat([Buffer.from([0x02, 0x21, 0x4c, 0x18]), word(whole.length), whole]);
  expect((await decompressFrame(old)).length).toBeGreaterThan(8_000_000);
  expect(await unpack("lz4", old, LIMIT)).toMatchObject({ kind: "malformed" });
});

test("a block of Snappy that states 4 GiB is refused before it is unpacked", async () => {
  const block = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0]);
  expect(await unpack("snappy", block, 32 << 20)).toEqual({ kind: "too_large", spent: 0 });
});

test("a hundred thousand blocks of one byte are too large: each takes its time", async () => {
  const block = PACK["snappy of Java"](Buffer.from("a"));
  const blocks = Array.from({ length: 100_000 }, () => block.subarray(16));
  const bytes = Buffer.concat([block.subarray(0, 16), ...blocks]);
  expect(await unpack("snappy", bytes, 32 << 20)).toEqual({ kind: "too_large", spent: 0 });
});

interface Change {
  readonly from: number;
  readonly length: number;
  readonly bytes: Uint8Array;
}

/** With the bytes from `from` on replaced by others. */
function changed(packed: Buffer, changes: readonly Change[]): Buffer {
  return changes.reduce(
    (bytes, { from, length, bytes: others }) =>
      Buffer.concat([bytes.subarray(0, from), others, bytes.subarray(from + length)]),
    packed,
  );
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

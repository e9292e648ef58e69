/** However small what was packed is, and whatever it states of itself: it unpacks to the limit at most. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { unpack } from "../../shared/kafka/records/unpack.ts";
import { PACK } from "../support/kafka/pack.ts";
import { fuzzing } from "./budget.ts";
import { soon } from "./in-time.ts";
import { mutantsOf } from "./mutants.ts";

const LIMIT = 20_000;
const WAYS = [
  { name: "gzip", codec: "gzip" },
  { name: "snappy", codec: "snappy" },
  { name: "snappy of Java", codec: "snappy" },
  { name: "lz4", codec: "lz4" },
  { name: "zstd", codec: "zstd" },
] as const;
const content = fc.oneof(
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(10, LIMIT, LIMIT + 1, 200_000).map((length) => Buffer.alloc(length)),
);

describe.each(WAYS)("$name", ({ name, codec }) => {
  test("of one piece or several, changed or not", async () => {
    const pieces = fc.array(content.map(PACK[name]), { minLength: 1, maxLength: 3 });
    const packed = pieces.map((all) => Buffer.concat(all));
    await fc.assert(
      fc.asyncProperty(fc.oneof(packed, mutantsOf(packed)), async (bytes) => {
        await expectBounded(codec, bytes);
      }),
      fuzzing(2),
    );
  });
});

/** Frames put together by hand: those of the libraries are all alike. */
const MAGIC = [0x184d2204, 0x184c2102, 0x184d2a50, 0x184d2205];
const literals = fc.tuple(fc.nat(300), fc.constantFrom(0, 1, 255));
const sequence = fc
  .tuple(literals, fc.constantFrom(4, 18, 19, 300, 100_000))
  .map(([[length, byte], match]) =>
    Buffer.concat([
      Buffer.from([(Math.min(length, 15) << 4) | Math.min(match - 4, 15)]),
      more(length),
      Buffer.alloc(length, byte),
      Buffer.from([1, 0]),
      more(match - 4),
    ]),
  );
const block = fc
  .array(sequence, { maxLength: 3 })
  .map((all) => Buffer.concat([...all, Buffer.from([0x10, 7])]));
const frame = fc
  .tuple(
    fc.constantFrom(...MAGIC),
    // None, as in the old format; a valid one; any.
    fc.oneof(
      fc.constantFrom(Buffer.alloc(0), Buffer.from([0x60, 0x40, 0x82])),
      fc.uint8Array({ maxLength: 12 }),
    ),
    fc.array(fc.tuple(block, fc.constantFrom(0, 0, 0x8000_0000)), { maxLength: 3 }),
    fc.boolean(),
  )
  .map(([magic, descriptor, blocks, ends]) =>
    Buffer.concat([
      ...[word(magic), Buffer.from(descriptor)],
      ...blocks.flatMap(([bytes, stored]) => [word(bytes.length + stored), bytes]),
      ...(ends ? [word(0)] : []),
    ]),
  );

test("frames of LZ4 of any kind, with any descriptor", async () => {
  await fc.assert(
    fc.asyncProperty(frame, (bytes) => expectBounded("lz4", bytes)),
    fuzzing(0.1),
  );
});

async function expectBounded(codec: Parameters<typeof unpack>[0], bytes: Buffer): Promise<void> {
  const result = await soon(() => unpack(codec, bytes, LIMIT));
  if (result.kind === "unpacked") expect(result.bytes.length).toBeLessThanOrEqual(LIMIT);
  if (result.kind === "malformed") expect(result.why).toMatch(/\w/);
}

/** What is left of a length whose first 15 are in the token. */
function more(length: number): Buffer {
  if (length < 15) return Buffer.alloc(0);
  const left = length - 15;
  return Buffer.concat([Buffer.alloc(Math.floor(left / 255), 255), Buffer.from([left % 255])]);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

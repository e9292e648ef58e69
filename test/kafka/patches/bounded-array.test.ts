/** If one of the tests of avsc itself fails, it has mended this, and the patch can go. */
import avro from "avsc";
import { describe, expect, test } from "vitest";
import { typeHook } from "../../../shared/kafka/codec/schemas.ts";
import { BoundedTap, readBounded } from "../../../shared/kafka/patches/bounded-tap.ts";

const ARRAY = { type: "array", items: "long" } as const;
const theirs = avro.Type.forSchema(ARRAY);
const ours = avro.Type.forSchema(ARRAY, { typeHook });
/** A block of one item that says it takes -2 bytes. */
const BACKWARDS = Buffer.from([1, 3, 2, 0]);

describe("avsc itself", () => {
  test("moves back by a negative size of a block", () => {
    const sizes = [-1, -100, 0];
    const tap = { pos: 50, readLong: () => sizes.shift() ?? 0 };
    Reflect.apply(Reflect.get(theirs, "_skip"), theirs, [tap]);
    expect(tap.pos).toBe(-50);
  });
});

describe("an array of ours", () => {
  test("reads and skips its items whatever size a block claims", () => {
    expect(readBounded(ours, BACKWARDS, 0)).toEqual({ value: [1n], end: 4 });
    const tap = new BoundedTap(BACKWARDS, 0);
    Reflect.apply(Reflect.get(ours, "_skip"), ours, [tap]);
    expect(tap.pos).toBe(4);
  });

  test("writes what avsc reads, and is of the same schema", () => {
    expect(theirs.fromBuffer(ours.toBuffer([1n, -5n]))).toEqual([1, -5]);
    expect(ours.equals(theirs)).toBe(true);
  });
});

describe("a number", () => {
  test.each([
    0n,
    -1n,
    63n,
    64n,
    -65n,
    2n ** 31n,
    -(2n ** 31n),
    2n ** 53n,
    2n ** 63n - 1n,
    -(2n ** 63n),
  ])("%s is read as it was written", (value) => {
    const type = avro.Type.forSchema("long", { typeHook });
    const bytes = type.toBuffer(value);
    expect(readBounded(type, bytes, 0)).toEqual({ value, end: bytes.length });
    expect(new BoundedTap(bytes, 0).readLong()).toBe(Number(value));
  });

  test("of more than 64 bits is refused", () => {
    expect(() => new BoundedTap(Buffer.alloc(11, 0xff), 0).readLong()).toThrow("64 bits");
    expect(() => new BoundedTap(Buffer.alloc(11, 0xff), 0).skipLong()).toThrow("64 bits");
  });
});

/** If one of the tests of avsc itself fails, avsc has fixed this, and the patch can be removed. */
import avro from "avsc";
import { describe, expect, test } from "vitest";
import { typeHook } from "../../../shared/kafka/codec/schemas.ts";

const MAP = { type: "map", values: "string" } as const;
const theirs = avro.Type.forSchema(MAP);
const ours = avro.Type.forSchema(MAP, { typeHook });
/** Two entries of the same block, then the end: { __proto__: "a", b: "c" } */
const PROTO = Buffer.concat([
  Buffer.from([4, 18]),
  Buffer.from("__proto__"),
  Buffer.from([2, 97, 2, 98, 2, 99, 0]),
]);

describe("avsc itself", () => {
  test("reads as many entries as announced, though there are no bytes for them", () => {
    const tap = tapThatCounts(100_000);
    read(theirs, tap);
    expect(tap.strings).toBeGreaterThanOrEqual(100_000);
  });

  test("skips as many as announced", () => {
    const tap = tapThatCounts(100_000);
    skip(theirs, tap);
    expect(tap.skipped).toBeGreaterThanOrEqual(100_000);
  });

  test("loses a key named __proto__", () => {
    expect(Object.entries(theirs.fromBuffer(PROTO))).toEqual([["b", "c"]]);
  });
});

describe("our map", () => {
  test("refuses a count that does not fit its bytes, before it reads an entry", () => {
    for (const take of [read, skip]) {
      const tap = tapThatCounts(100_000);
      expect(() => take(ours, tap)).toThrow("a map of 100000 entries does not fit");
      expect(tap.strings + tap.skipped).toBe(0);
    }
  });

  test("keeps a key named __proto__", () => {
    const entries = [
      ["__proto__", "a"],
      ["b", "c"],
    ];
    expect(Object.entries(ours.fromBuffer(PROTO))).toEqual(entries);
  });

  test("reads blocks preceded by their size in bytes", () => {
    const sized = Buffer.from([1, 8, 2, 97, 2, 98, 2, 2, 99, 2, 100, 0]);
    expect(ours.fromBuffer(sized)).toEqual({ a: "b", c: "d" });
  });

  test("writes what avsc reads, and has the same schema", () => {
    const value = { a: "b", "": "ß客" };
    expect(theirs.fromBuffer(ours.toBuffer(value))).toEqual(value);
    expect(ours.equals(theirs)).toBe(true);
  });

  test("of maps is bounded all the way down", () => {
    const nested = avro.Type.forSchema({ type: "map", values: MAP }, { typeHook });
    const bytes = Buffer.from([2, 2, 97, 0x80, 0x80, 0x80, 0x20, 0, 0]);
    expect(() => nested.fromBuffer(bytes)).toThrow("does not fit");
  });
});

/** A map of three bytes, the first of which announce this number of entries. */
function tapThatCounts(entries: number) {
  const counts = [entries];
  return {
    buf: Buffer.alloc(3),
    pos: 3,
    strings: 0,
    skipped: 0,
    readLong: () => counts.shift() ?? 0,
    readString() {
      this.strings += 1;
      return "";
    },
    skipString() {
      this.skipped += 1;
    },
  };
}

function read(type: avro.Type, tap: unknown): void {
  Reflect.apply(Reflect.get(type, "_read"), type, [tap]);
}

function skip(type: avro.Type, tap: unknown): void {
  Reflect.apply(Reflect.get(type, "_skip"), type, [tap]);
}

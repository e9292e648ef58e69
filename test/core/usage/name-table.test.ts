import fc from "fast-check";
import { expect, test } from "vitest";
import { NameTable } from "../../../shared/core/usage/name-table.ts";

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

function numberOf(table: NameTable<unknown>, name: string): number {
  const bytes = Buffer.from(`<${name}>`, "latin1");
  return table.numberOf(bytes, 1, bytes.length - 1);
}

test("each name has a number of its own, the same whenever it is met", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 3 }), { maxLength: 60 }), (names) => {
      const table = new NameTable(textOf);
      const first = names.map((name) => numberOf(table, name));
      expect(names.map((name) => numberOf(table, name))).toEqual(first);
      const latin = names.map((name) => Buffer.from(name, "latin1").toString("latin1"));
      expect(first.map((number) => table.valueOf(number))).toEqual(latin);
      expect(table.size).toBe(new Set(latin).size);
    }),
  );
});

test("thousands of names keep their numbers while the table grows", () => {
  const table = new NameTable(textOf);
  const names = Array.from({ length: 20_000 }, (_, i) => `account-${i}`);
  const numbers = names.map((name) => numberOf(table, name));
  expect(new Set(numbers).size).toBe(names.length);
  expect(names.map((name) => numberOf(table, name))).toEqual(numbers);
  expect(table.length).toBe(names.join("").length);
});

test("a name that cannot be used has no number, and is judged once", () => {
  let judged = 0;
  const table = new NameTable(() => {
    judged += 1;
    return null;
  });
  expect([numberOf(table, "bad"), numberOf(table, "bad")]).toEqual([-1, -1]);
  expect(judged).toBe(1);
});

test("a very long name has none", () => {
  const table = new NameTable(textOf);
  expect([numberOf(table, "x".repeat(4_096)), numberOf(table, "x".repeat(4_097))]).toEqual([0, -1]);
});

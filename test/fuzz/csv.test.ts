/** A row is read back as it was written by any reader of RFC 4180, and no cell of it is a formula. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { csvText, slicesOf } from "../../shared/contract/csv-export.ts";
import { type Cell, csvLine } from "../../shared/core/text/csv-text.ts";
import { fuzzing } from "./budget.ts";
import { mutantTextsOf } from "./mutants.ts";

const words = ['"', '""', ",", "\r\n", "\n", "\r", "=cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "'"];
const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 12 }),
  mutantTextsOf(fc.constantFrom("acme", "a,b", 'say "hi"', "=1+1", ""), words),
);
const cell: fc.Arbitrary<Cell> = fc.oneof(
  text,
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }),
  fc.constantFrom<Cell>({ number: "-0.000001" }, { number: "12" }),
);
const row = fc.array(cell, { minLength: 1, maxLength: 5 });

test("rows of any text", () => {
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 4 }), (rows) => {
      const read = parse(rows.map(csvLine).join(""));
      expect(read).toEqual(rows.map((of) => of.map(asRead)));
    }),
    fuzzing(),
  );
});

test("an export of any names and values has each row once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 30 }), async (values) => {
      const table = [["=name", (value: string) => value]] as const;
      const whole = (await Array.fromAsync(csvText(table, slicesOf(values)))).join("");
      expect(parse(whole)).toEqual([["'=name"], ...values.map((value) => [asRead(value)])]);
    }),
    fuzzing(2),
  );
});

function asRead(of: Cell): string {
  if (typeof of === "object") return of.number;
  if (typeof of === "bigint") return String(of);
  return ["=", "+", "-", "@", "\t", "\r"].some((sign) => of.startsWith(sign)) ? `'${of}` : of;
}

/** By the grammar of RFC 4180. */
function parse(csv: string): string[][] {
  const rows: string[][] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  let cells: string[] = [];
  while (field.lastIndex < csv.length) {
    const found = field.exec(csv);
    if (found === null) throw new Error(`no CSV: ${JSON.stringify(csv)}`);
    const [, quoted, bare = "", end] = found;
    cells.push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    rows.push(cells);
    cells = [];
  }
  return rows;
}

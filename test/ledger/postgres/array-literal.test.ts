/**
 * Array literals as Postgres documents them (arrays.html, "Array Input and Output Syntax"): an element
 * is quoted when it is empty, the word NULL, or contains a brace, comma, quote, backslash or white
 * space; in quotes, quotes and backslashes are escaped. The tests in test/pipeline check this against a
 * real Postgres.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bigintArray,
  columnsOf,
  textArray,
} from "../../../shared/ledger/postgres/array-literal.ts";

test("columns of rows are an array each, whatever is in them", () => {
  const rows = [
    { id: "a,b", sequence: 2n, partition: 0, isLow: true, lotId: null, other: "not asked for" },
    { id: "c", sequence: -1n, partition: 1, isLow: false, lotId: "", other: "not asked for" },
  ];
  const columns = columnsOf(rows, "id", "sequence", "partition", "isLow", "lotId");
  expect(columns).toEqual([`{"a,b",c}`, "{2,-1}", "{0,1}", "{true,false}", `{NULL,""}`]);
});

describe("an array of texts", () => {
  test.each<{ values: (string | null)[]; literal: string }>([
    { values: [], literal: "{}" },
    { values: ["a", "b"], literal: "{a,b}" },
    { values: ["019b-7c_x.y:z@h/p"], literal: "{019b-7c_x.y:z@h/p}" },
    { values: [null, "a"], literal: "{NULL,a}" },
    { values: ["NULL", "null", "Null", "nullable"], literal: `{"NULL","null","Null",nullable}` },
    { values: [""], literal: `{""}` },
    { values: ["", ""], literal: `{"",""}` },
    { values: ["a,b"], literal: `{"a,b"}` },
    { values: ["{", "}"], literal: `{"{","}"}` },
    { values: [`say "hi"`], literal: String.raw`{"say \"hi\""}` },
    { values: ["a\\b"], literal: String.raw`{"a\\b"}` },
    { values: [`\\"`], literal: String.raw`{"\\\""}` },
    { values: [" a", "a\n", "a\nb"], literal: `{" a","a\n","a\nb"}` },
    { values: ["ß客\u{1F600}"], literal: `{"ß客\u{1F600}"}` },
    { values: ["'; DROP TABLE lot; --"], literal: `{"'; DROP TABLE lot; --"}` },
  ])("$values is $literal", ({ values, literal }) => {
    expect(textArray(values)).toBe(literal);
  });

  test("is read back unchanged by Postgres's rules", () => {
    const plain = fc.constantFrom(
      "a",
      "B",
      "0",
      '"',
      "\\",
      ",",
      "{",
      "}",
      " ",
      "\n",
      "n",
      "ß",
      "'",
    );
    const text = fc.oneof(
      fc.string({ unit: plain, maxLength: 6 }),
      fc.string(),
      fc.constant("NULL"),
    );
    fc.assert(
      fc.property(fc.array(fc.option(text), { maxLength: 6 }), (values) => {
        expect(readArray(textArray(values))).toEqual(values);
      }),
      { numRuns: 500 },
    );
  });
});

test("numbers and booleans are written unquoted", () => {
  expect(bigintArray([])).toBe("{}");
  expect(bigintArray([0n, -5n, 9_223_372_036_854_775_807n, 7, null, true, false])).toBe(
    "{0,-5,9223372036854775807,7,NULL,true,false}",
  );
});

/** Parses a one-dimensional literal as array_in does: white space around bare elements is dropped. */
function readArray(literal: string): (string | null)[] {
  const values: (string | null)[] = [];
  const element = /\s*(?:"((?:[^"\\]|\\[\s\S])*)"|([^",{}\\]+?))\s*(,|$)/y;
  const body = literal.slice(1, -1);
  if (!literal.startsWith("{") || !literal.endsWith("}")) throw new Error(`no array: ${literal}`);
  if (body === "") return values;
  for (let more = true; more; ) {
    const [, quoted, bare, end] = element.exec(body) ?? [];
    if (quoted === undefined && bare === undefined) throw new Error(`malformed array: ${literal}`);
    if (quoted !== undefined) values.push(quoted.replace(/\\([\s\S])/g, "$1"));
    else values.push(bare === undefined || /^null$/i.test(bare) ? null : bare);
    more = end === ",";
  }
  return values;
}

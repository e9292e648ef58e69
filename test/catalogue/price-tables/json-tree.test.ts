/** JSON is read with the text of each number, each line, and all that is stated twice. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Json, readJson } from "../../../shared/catalogue/price-tables/json-tree.ts";
import type { Problem } from "../../../shared/catalogue/problem.ts";
import { mutantTextsOf } from "../../fuzz/mutants.ts";
import { cpuTimeOf } from "../../support/cpu-time.ts";

test("a number is the text that was written", () => {
  const written = ["1e-7", "0.0000003", "3.5e-06", "1e400", "-0", "2.50", "9007199254740993"];
  const list = readJson(`[${written.join(", ")}]`);
  expect("items" in list && list.items).toEqual(
    written.map((text) => ({ kind: "number", line: 1, text })),
  );
  // What `JSON.parse` tells its reviver of them is the same.
  expect(withSources(`[${written.join(", ")}]`)).toEqual(written.map((text) => ({ text })));
});

test("what is stated twice is there twice, each with its line", () => {
  const object = readJson('{\n"a": 1,\n"b": {\r\n"c": 2},\n\n"a": null }');
  if (!("members" in object)) throw new Error(JSON.stringify(object));
  expect(object.members.map(({ name, line, value }) => [name, line, value.kind])).toEqual([
    ["a", 2, "number"],
    ["b", 3, "object"],
    ["a", 6, "null"],
  ]);
});

const numberText = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.constantFrom("1e-7", "0.0000003", "3.5E+06", "1e400", "-0.0", "12345678901234567890.5"),
);
const blank = fc.constantFrom("", " ", "\n", "\r\n\t");
const { value } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.oneof(
      numberText,
      fc.string({ unit: "grapheme" }).map((text) => JSON.stringify(text)),
    ),
    fc.constantFrom("true", "false", "null", '"\\u0041\\"\\\\"', '"\\ud800"', "{}", "[]"),
    fc
      .tuple(fc.array(tie("value"), { maxLength: 4 }), blank)
      .map(([items, space]) => `[${space}${items.join(`${space},`)}${space}]`),
    fc.tuple(fc.dictionary(fc.string(), tie("value"), { maxKeys: 4 }), blank).map(
      ([fields, space]) =>
        `{${space}${Object.entries(fields)
          .map(([name, of]) => `${JSON.stringify(name)}${space}:${space}${of}`)
          .join(`${space},`)}${space}}`,
    ),
  ),
}));

test("any JSON is read as JSON.parse reads it, with its numbers' sources", () => {
  fc.assert(
    fc.property(value, (text) => {
      const read = readJson(text);
      expect(isProblem(read) ? read : plain(read)).toEqual(withSources(text));
    }),
    { numRuns: 300 },
  );
});

test("what JSON.parse takes is taken, and nothing else", () => {
  fc.assert(
    fc.property(mutantTextsOf(value), (text) => {
      const read = readJson(text);
      if (isProblem(read)) {
        if (read.problem.startsWith("is nested")) return;
        expect(() => JSON.parse(text), read.problem).toThrow(SyntaxError);
      } else JSON.parse(text);
    }),
    { numRuns: 1000 },
  );
});

describe("is refused with its line:", () => {
  test.each([
    ["no value", '{\n"a":\n}', "3: is not JSON: a value is missing or has no quotes"],
    ["no comma", '{"a": 1\n"b": 2}', "2: is not JSON: a comma or } is missing"],
    ["a comma too many", '{"a": 1,\n}', "2: is not JSON: a name in quotes is missing"],
    ["an open text", '{"a', "1: is not JSON: a text has no closing quote"],
    ["an open list", "[1,\n2", "2: is not JSON: a comma or ] is missing"],
    ["no colon", '{"a" 1}', "1: is not JSON: a colon is missing after a name"],
    ["two values", "{}\n{}", "2: is not JSON: it goes on after its end"],
    ["a word", "[NaN]", "1: is not JSON: a value is missing or has no quotes"],
    ["a leading zero", "[01]", "1: is not JSON: a comma or ] is missing"],
    [
      "a bad escape",
      '["\\x"]',
      "1: is not JSON: a text holds a line break, or an escape that JSON does not have",
    ],
  ])("%s", (_, text, problem) => {
    expect(problemOf(text)).toBe(problem);
  });
});

describe("however malicious, it is refused soon:", () => {
  const many = (text: string) => text.repeat(3_000_000);
  test.each([
    ["brackets", many("["), "1: is nested more than 32 levels deep"],
    ["objects", many('{"a":'), "1: is nested more than 32 levels deep"],
    ["values", `[${many("0,")}0]`, "1: has more than 2,000,000 values"],
    ["backslashes", `["${many("\\")}`, "1: is not JSON: a text has no closing quote"],
    ["escaped quotes", `["${many('\\"')}`, "1: is not JSON: a text has no closing quote"],
    ["lines", many("\n"), "3000001: is not JSON: a value is missing or has no quotes"],
  ])("%s", (_, text, problem) => {
    const took = cpuTimeOf(() => expect(problemOf(text)).toBe(problem));
    expect(took).toBeLessThan(5000);
  });

  test("but 32 levels are read, and 33 are not", () => {
    expect(problemOf("[".repeat(32) + "]".repeat(32))).toBe("none");
    expect(problemOf("[".repeat(33) + "]".repeat(33))).toBe(
      "1: is nested more than 32 levels deep",
    );
  });
});

function problemOf(text: string): string {
  const read = readJson(text);
  return isProblem(read) ? `${read.line}: ${read.problem}` : "none";
}

function isProblem(read: Json | Problem): read is Problem {
  return "problem" in read;
}

/** Without lines; a number is an object with its text. */
function plain(json: Json): unknown {
  switch (json.kind) {
    case "object":
      return Object.fromEntries(json.members.map(({ name, value: of }) => [name, plain(of)]));
    case "list":
      return json.items.map(plain);
    case "number":
      return { text: json.text };
    case "text":
      return json.text;
    default:
      return JSON.parse(json.text);
  }
}

/** The same by `JSON.parse`, which tells the reviver what was written: TypeScript does not know of it yet. */
function withSources(text: string): unknown {
  return JSON.parse(text, (...[, value, context]: [string, unknown, { source?: string }?]) =>
    typeof value === "number" ? { text: context?.source } : value,
  );
}

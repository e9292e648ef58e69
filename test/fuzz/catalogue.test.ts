/** Any file is a catalogue, or is refused with each problem's line, soon and in little memory. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { parseCatalogue } from "../../shared/catalogue/parse-catalogue.ts";
import { fuzzing } from "./budget.ts";
import { inTime } from "./in-time.ts";
import { mutantJsonOf, type Value } from "./mutant-values.ts";
import { mutantsOf, mutantTextsOf } from "./mutants.ts";

const YAML = readFileSync("infra/demo/catalogue.yaml", "utf8");
const JSON_TEXT = JSON.stringify(parse(YAML), null, 1);
const LONGEST = 400;
const words = [
  ...[
    "&a ",
    "*a",
    "<<: *a",
    "!!binary |",
    "!!js/function ",
    "--- ",
    "...",
    "%YAML 9.9\n",
    "? ",
    "- ",
  ],
  ...["|\n", ">-\n", "# ", "{", "}", "[", "\t", "2026-09-01T00:00:00Z", "1e9", "0.0000001", ".inf"],
  ...["- ".repeat(30), "a: ".repeat(30), "  ".repeat(600), "\n".repeat(3_000), "{a: ".repeat(15)],
];
/** A part of the file, so that changes are not lost in it. */
const part = fc.tuple(fc.nat(YAML.length), fc.nat(600)).map(([from, length]) => {
  const start = YAML.lastIndexOf("\n", from) + 1;
  return YAML.slice(start, start + length);
});
const valid = fc.oneof(fc.constant(YAML), fc.constant(JSON_TEXT), part);

test("whatever was changed in it", () => {
  fc.assert(fc.property(mutantTextsOf(valid, words), expectRead), fuzzing(3));
});

test("whatever its values are", () => {
  const value = fc.constant<Value>(parse(YAML));
  fc.assert(fc.property(mutantJsonOf(value), expectRead), fuzzing(3));
});

test("bytes that need not be text", () => {
  fc.assert(fc.property(mutantsOf(valid.map((text) => Buffer.from(text))), expectRead), fuzzing(6));
});

function expectRead(file: string | Buffer): void {
  const bytes = Buffer.from(file);
  const parsed = inTime(() => parseCatalogue(bytes));
  if (parsed.kind === "parsed") return;
  expect(parsed.problems.length).toBeGreaterThan(0);
  const lines = bytes.toString().split("\n").length;
  for (const { line, problem } of parsed.problems) {
    expect(line).toBeGreaterThan(0);
    expect(line).toBeLessThanOrEqual(lines);
    expect(problem).toMatch(/\w/);
    expect(problem.length).toBeLessThan(LONGEST);
  }
}

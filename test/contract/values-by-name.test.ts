import { expect, test } from "vitest";
import { z } from "zod";
import { noun } from "../../shared/contract/noun.ts";
import { valuesByName } from "../../shared/contract/values-by-name.ts";
import { count, id } from "../../shared/contract/wire.ts";

const NAMES = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", "a"];
/** As `JSON.parse` makes it, and whatever reads Kafka: each name is a field of its own. */
const TEXTS = Object.fromEntries(NAMES.map((name) => [name, `value of ${name}`]));
const dimensions = valuesByName(z.string());

test("values keep every name, read and written, within a noun, with a check, a description or as an option", () => {
  const pairs = Object.entries(TEXTS).sort();
  const used = noun({ texts: dimensions, counts: valuesByName(count) });
  const numbers = Object.fromEntries(NAMES.map((name, at) => [name, BigInt(at)]));
  const written = z.encode(used, { texts: TEXTS, counts: numbers });
  expect(Object.entries(written.texts).sort()).toEqual(pairs);
  expect(JSON.parse(JSON.stringify(written.counts))).toEqual(
    Object.fromEntries(NAMES.map((name, at) => [name, String(at)])),
  );
  const read = used.parse(JSON.parse(JSON.stringify(written)));
  expect(Object.entries(read.texts).sort()).toEqual(pairs);
  expect(Object.entries(read.counts).sort()).toEqual(Object.entries(numbers).sort());
  for (const schema of [
    dimensions.meta({ description: "d" }),
    dimensions.superRefine(() => undefined),
    dimensions.optional(),
    z.union([z.array(z.string()), dimensions]),
  ]) {
    expect(Object.entries(schema.parse(TEXTS) ?? {}).sort()).toEqual(pairs);
  }
  expect(Object.getPrototypeOf(read.texts)).toBe(Object.prototype);
});

test("a value that is not as it should be is named, whatever its name", () => {
  const wrong = JSON.parse('{ "__proto__": 1, "constructor": "x" }');
  expect(dimensions.safeParse(wrong).error?.issues).toMatchObject([
    { code: "invalid_type", path: ["__proto__"] },
  ]);
  const named = valuesByName(z.string(), { name: id("dimension") });
  expect(named.safeParse({ "": "x" }).success).toBe(false);
  for (const none of [null, [], "text", 1]) expect(dimensions.safeParse(none).success).toBe(false);
});

test("in JSON Schema it is an object of values", () => {
  expect(z.toJSONSchema(dimensions)).toEqual(z.toJSONSchema(z.record(z.string(), z.string())));
});

/**
 * One message never stops the reader: whatever a schema and a value are, decoding ends soon, with the
 * event or a reason. All of it runs in a worker with a time limit, so that what hangs fails.
 */
import { afterAll, expect, test } from "vitest";
import { fuzzRuns, hangsAfterMs } from "../../fuzz/budget.ts";
import { openWorker } from "./in-worker.ts";

const LIMIT_MS = hangsAfterMs();
const hostile = openWorker(new URL("decode-hostile.ts", import.meta.url), LIMIT_MS);
const fuzzer = openWorker(new URL("fuzz-decoder.ts", import.meta.url), LIMIT_MS);
const seed = Number(process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

test.each([
  { name: "a block of an array whose size is negative", detail: "does not fit" },
  { name: "a block of a map whose size is negative", detail: "does not fit" },
  { name: "blocks that count more than there are bytes", detail: "does not fit" },
  {
    name: "an array of nulls beyond counting",
    detail: "more than 10000 items of arrays take no bytes",
  },
  {
    name: "arrays of arrays of records without fields",
    detail: "more than 10000 items of arrays take no bytes",
  },
  { name: "a text of a negative length", detail: "does not fit" },
  { name: "a text longer than the message", detail: "does not fit" },
  { name: "a record within itself, far too deep", detail: "nested too deeply" },
  { name: "a record that begins with itself", detail: "more than 100 parts without bytes" },
  {
    name: "records without bytes, doubled forty times",
    detail: "more than 100 parts without bytes",
  },
  { name: "optional records, doubled forty times, in a message that ends", detail: "does not fit" },
  { name: "defaults that double forty times", detail: "does not fit" },
  { name: "types nested ten thousand deep", detail: "nested more than 64 deep" },
  { name: "types nested a hundred thousand deep", detail: "characters" },
  { name: "a union of five thousand records", detail: "more than 5000 parts" },
  { name: "a schema of a megabyte", detail: "characters" },
  { name: "a type named constructor", detail: "the name constructor in it cannot be used" },
  { name: "a symbol named valueOf", detail: "the name valueOf in it cannot be used" },
  { name: "a field named toString", detail: "the name toString in it cannot be used" },
  { name: "a field named __proto__", detail: "the name __proto__ in it cannot be used" },
])("$name", async ({ name, detail }) => {
  expect(String(await hostile.run(name))).toContain(detail);
});

test(`any schema with more fields, and its values changed, with seed ${seed}`, async () => {
  expect(await fuzzer.run({ seed, runs: fuzzRuns(0.7) })).toBe("no failure");
});

afterAll(() => Promise.all([hostile.close(), fuzzer.close()]));

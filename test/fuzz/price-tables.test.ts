/** Any file is a price table, or is refused with each problem's line, soon; no number becomes a float. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readPriceTable } from "../../shared/catalogue/price-tables/read-price-table.ts";
import { fuzzing } from "./budget.ts";
import { inTime } from "./in-time.ts";
import { mutantsOf, mutantTextsOf } from "./mutants.ts";

const fixture = (name: string) =>
  readFileSync(new URL(`../catalogue/price-tables/fixtures/${name}`, import.meta.url), "utf8");
const CSV = `provider,model,kind,price,per,currency,from_quantity,from_context
acme,m,input_tokens,3e-6,1,USD,,200001
acme,"m,n",seconds,0.36,60,EUR,61,
`;
const valid = fc.constantFrom(fixture("litellm.json"), fixture("models-dev.json"), CSV);
const words = [
  "1e-7",
  "-1",
  "1e400",
  '"cost": 3,',
  '"models": {},',
  "input_cost_per_token",
  ",,",
  '""',
];

test("whatever was changed in it", () => {
  fc.assert(fc.property(mutantTextsOf(valid, words), expectRead), fuzzing());
});

test("bytes that need not be text", () => {
  fc.assert(fc.property(mutantsOf(valid.map((text) => Buffer.from(text))), expectRead), fuzzing(2));
});

function expectRead(file: string | Buffer): void {
  const bytes = Buffer.from(file);
  const table = inTime(() => readPriceTable(bytes));
  if (table.kind === "read") {
    expect(table.rows.length).toBeGreaterThan(0);
    for (const { price, per } of table.rows) {
      expect(typeof price.coefficient).toBe("bigint");
      expect(price.coefficient >= 0n && per > 0n).toBe(true);
    }
    return;
  }
  expect(table.problems.length).toBeGreaterThan(0);
  for (const { line, problem } of table.problems) {
    expect(line).toBeGreaterThan(0);
    expect(line).toBeLessThanOrEqual(bytes.toString().split(/\r\n|\r|\n/).length);
    expect(problem).toMatch(/\w/);
  }
}

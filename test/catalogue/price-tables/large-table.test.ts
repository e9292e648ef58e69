/** A table of 100,000 prices takes bounded time and memory; past 200,000 it is refused. */
import { describe, expect, test } from "vitest";
import { compareRates } from "../../../shared/catalogue/price-tables/compare-rates.ts";
import { parseMarkup } from "../../../shared/catalogue/price-tables/markup.ts";
import { parseCreditWorth, toRates } from "../../../shared/catalogue/price-tables/to-rates.ts";
import { cpuTimeOf } from "../../support/cpu-time.ts";
import { problemsOf, readText, rowsOf } from "./read-table.ts";

const ROWS = 100_000;
const price = (at: number) => `${1 + (at % 997)}e-${6 + (at % 3)}`;

function csvOf(rows: number): string {
  const lines = Array.from(
    { length: rows },
    (_, at) => `p${at % 97},model-${at},calls,${price(at)}`,
  );
  return ["provider,model,kind,price", ...lines].join("\r\n");
}

function liteLlmOf(rows: number): string {
  const models = Array.from({ length: rows / 5 }, (_, at) => {
    const prices = ["input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost"];
    const long = ["input_cost_per_token_above_200k_tokens", "output_cost_per_token_batches"];
    const fields = [...prices, ...long].map((name, of) => `"${name}": ${price(at + of)}`);
    return `"model-${at}": {"litellm_provider": "p${at % 97}", "max_tokens": 1, ${fields.join(",\n")}}`;
  });
  return `{${models.join(",\n")}}`;
}

function modelsDevOf(rows: number): string {
  const providers = Array.from({ length: 100 }, (_, of) => {
    const models = Array.from({ length: rows / 200 }, (_, at) => {
      const cost = `{"input": ${1 + at}, "output": 0.${1 + at}}`;
      return `"m${at}": {"id": "m${at}", "modalities": {"input": ["text"]}, "cost": ${cost}}`;
    });
    return `"p${of}": {"models": {${models.join(",\n")}}}`;
  });
  return `{${providers.join(",\n")}}`;
}

describe("100,000 prices are read, priced and compared soon:", () => {
  test.each([
    ["csv", csvOf(ROWS)],
    ["litellm", liteLlmOf(ROWS)],
    ["models.dev", modelsDevOf(ROWS)],
  ])("%s", (format, text) => {
    const markups = ["1.3", "p1/*=1.2", "*-7*=1.1"].slice(0, format === "models.dev" ? 2 : 3);
    const before = process.memoryUsage().heapUsed;
    const took = cpuTimeOf(() => {
      const table = readText(text);
      if (table.kind === "unreadable") throw new Error(JSON.stringify(table.problems));
      expect(table.format).toBe(format);
      const priced = toRates(table.rows, markups.map(parseMarkup), parseCreditWorth("USD 0.01"));
      if (priced.kind === "refused") throw new Error(JSON.stringify(priced.problems));
      expect(compareRates(priced.rates, priced.rates)).toMatchObject({ unchanged: ROWS });
    });
    const grown = process.memoryUsage().heapUsed - before;
    expect(took).toBeLessThan(10_000);
    expect(grown).toBeLessThan(500 * 2 ** 20);
  });
});

test("200,000 prices are read; one more refuses the table", () => {
  expect(rowsOf(csvOf(200_000))).toHaveLength(200_000);
  expect(problemsOf(csvOf(200_001))).toEqual([
    "200002: : is one price more than the 200,000 possible",
  ]);
});

test("a hundred patterns are matched soon against names that nearly match", () => {
  const csv = `provider,model,kind,price\n${Array.from({ length: 1000 }, (_, at) => `${"a".repeat(250)},${"a".repeat(240)}${at},calls,1`).join("\n")}`;
  const pattern = `${"a*".repeat(250)}b=2`;
  const took = cpuTimeOf(() => {
    toRates(
      rowsOf(csv),
      Array.from({ length: 100 }, () => parseMarkup(pattern)),
      parseCreditWorth("USD 1"),
    );
  });
  expect(took).toBeLessThan(10_000);
});

/** Prices become rates by exact arithmetic, rounded in one place. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseMarkup } from "../../../shared/catalogue/price-tables/markup.ts";
import { parseCreditWorth, toRates } from "../../../shared/catalogue/price-tables/to-rates.ts";
import { fixture, rowsOf } from "./read-table.ts";

const HEADER = "provider,model,kind,price,per,currency";

/** Each rate as "kind: micro-credits for units", or each problem as "line: field: problem". */
function ratesOf(csv: string, worth: string, ...markups: string[]): string[] {
  const rows = rowsOf(csv);
  const priced = toRates(rows, markups.map(parseMarkup), parseCreditWorth(worth));
  return priced.kind === "priced"
    ? priced.rates.map(({ model, credits, per }) => `${model}: ${credits} for ${per}`)
    : priced.problems.map(({ line, field, problem }) => `${line}: ${field}: ${problem}`);
}

const row = (price: string, per: number | string = 1, model = "m", currency = "USD") =>
  `${HEADER}\nacme,${model},calls,${price},${per},${currency}\n`;

describe("a rate is", () => {
  test.each([
    // USD 3 x 1.3 = USD 3.90 = 390 credits for a million.
    ["USD 3 for a million", row("3", 1_000_000), "USD 0.01", "1.3", "390000000 for 1000000"],
    ["USD 0.0000003 for one", row("0.0000003"), "USD 0.01", "1", "30 for 1"],
    ["the same, written 3e-7", row("3e-7"), "USD 0.01", "1", "30 for 1"],
    ["USD 1e-7, marked up", row("1e-7"), "USD 0.01", "1.15", "115 for 10"],
    ["nothing for what is free", row("0.0", 7), "USD 0.01", "1.3", "0 for 7"],
    ["less than a micro-credit", row("1e-12"), "USD 0.01", "1", "1 for 10000"],
    ["a price for 60 units", row("0.36", 60), "USD 0.01", "1", "36000000 for 60"],
    ["another currency", row("120", 1, "m", "JPY"), "JPY 1.5", "1", "80000000 for 1"],
    // 0.01 / 0.03 of a credit = 333333.33 micro-credits, so ten units: 3333333.33.
    ["a third of a credit", row("0.01"), "USD 0.03", "1", "3333333 for 10"],
    ["two thirds of a credit", row("0.02"), "USD 0.03", "1", "6666667 for 10"],
    // 1.0000005 credits: the half is rounded up.
    ["half a micro-credit", row("1.0000005"), "USD 1", "1", "1000001 for 1"],
    ["less than half of one", row("1.00000049"), "USD 1", "1", "1000000 for 1"],
    // 0.7 / 0.1 is 6.999... and 0.1 x 3 is 0.30000000000000004 in floating point.
    ["what floats get wrong", row("0.7"), "USD 0.1", "1", "7000000 for 1"],
    ["what floats get wrong, too", row("0.1"), "USD 1", "3", "300000 for 1"],
  ])("%s", (_, csv, worth, markup, rate) => {
    expect(ratesOf(csv, worth, markup)).toEqual([`m: ${rate}`]);
  });

  test("the same for the same price, whether LiteLLM's file states it or models.dev's", () => {
    const ratesFrom = (name: string) => {
      const rows = rowsOf(fixture(name)).filter(
        ({ model, band }) => model === "swift-4" && band.from === 0n,
      );
      const priced = toRates(rows, [parseMarkup("1.3")], parseCreditWorth("USD 0.01"));
      if (priced.kind === "refused") throw new Error(JSON.stringify(priced.problems));
      return new Map(priced.rates.map(({ kind, credits, per }) => [kind, { credits, per }]));
    };
    const [litellm, modelsDev] = [ratesFrom("litellm.json"), ratesFrom("models-dev.json")];
    for (const kind of [
      "input_tokens",
      "output_tokens",
      "cache_read_tokens",
      "cache_write_tokens",
    ]) {
      expect(litellm.get(kind)).toEqual(modelsDev.get(kind));
      expect(litellm.get(kind)?.per).toBe(1_000_000n);
    }
  });
});

describe("a markup", () => {
  const csv = `${HEADER}
openai,gpt-5,calls,1,1,USD
openai,gpt-5-mini,calls,1,1,USD
azure,gpt-5,calls,1,1,USD
azure,openai/o3,calls,1,1,USD
`;
  test("is the last that matches the provider and the model; nothing matches: the list price", () => {
    const given = ["openai/*=1.2", "*/gpt-5=1.5", "azure/*=2"];
    expect(ratesOf(csv, "USD 1", ...given)).toEqual([
      "gpt-5: 1500000 for 1",
      "gpt-5-mini: 1200000 for 1",
      "gpt-5: 2000000 for 1",
      "openai/o3: 2000000 for 1",
    ]);
    expect(ratesOf(csv, "USD 1", "openai/gpt-5=3")[1]).toBe("gpt-5-mini: 1000000 for 1");
    expect(ratesOf(csv, "USD 1", "1.3", "o*i/*5*m*=2")).toEqual([
      "gpt-5: 1300000 for 1",
      "gpt-5-mini: 2000000 for 1",
      "gpt-5: 1300000 for 1",
      "openai/o3: 1300000 for 1",
    ]);
  });

  test("that holds for nothing is refused, mistyped or hidden by a later one", () => {
    const reason = "holds for no price: nothing matches it, or a later one matches as well";
    expect(ratesOf(csv, "USD 1", "openia/*=1.2")).toEqual([`0: markup openia/*: ${reason}`]);
    expect(ratesOf(csv, "USD 1", "openai=1.2")).toEqual([`0: markup openai: ${reason}`]);
    expect(ratesOf(csv, "USD 1", "openai/*=1.2", "1.3")).toEqual([`0: markup openai/*: ${reason}`]);
    expect(ratesOf(csv, "USD 1", "1.1", "1.3")).toEqual([`0: markup *: ${reason}`]);
  });

  test("does not match where the parts of a pattern would overlap", () => {
    expect(ratesOf(row("1", 1, "aba"), "USD 1", "acme/ab*ba=2")[0]).toMatch(/^0: markup/);
    expect(ratesOf(row("1", 1, "abba"), "USD 1", "acme/ab*ba=2")).toEqual(["abba: 2000000 for 1"]);
  });

  test.each([
    ["0", "the markup 0 must be above 0 and at most 1000"],
    ["1000.1", "the markup 1000.1 must be above 0 and at most 1000"],
    ["a/*=1e9", "must be below 1,000,000,000, not 1e9"],
    ["a/*=", "is missing"],
    ["=1.3", 'the markup "=1.3" has no pattern before ='],
    ["30%", 'must be a number like 3, 0.0000003 or 3e-7, not "30%"'],
    ["-1", "must be 0 or more, without a sign, not -1"],
  ])("%s is refused", (text, problem) => {
    expect(() => parseMarkup(text)).toThrow(new RangeError(problem));
  });

  test("of more than 600 characters is refused", () => {
    const problem = `the markup "${"x".repeat(120)}..." has more than 600 characters`;
    expect(() => parseMarkup(`${"x".repeat(601)}=2`)).toThrow(new RangeError(problem));
  });

  test("may hold an = in its pattern, and be 1000", () => {
    expect(ratesOf(row("1", 1, "a=b"), "USD 1", "acme/a=b=1e3")).toEqual(["a=b: 1000000000 for 1"]);
  });
});

describe("what a credit is worth:", () => {
  test.each([
    ["0.01", '"0.01" is not what a credit is worth; write it like USD 0.01'],
    ["usd 0.01", '"usd 0.01" is not what a credit is worth; write it like USD 0.01'],
    ["XXY 1", '"XXY 1" is not what a credit is worth; write it like USD 0.01'],
    ["USD 0", "a credit must be worth more than 0"],
    ["USD -1", "must be 0 or more, without a sign, not -1"],
    ["USD 1,5", 'must be a number like 3, 0.0000003 or 3e-7, not "1,5"'],
  ])("%s is refused", (text, problem) => {
    expect(() => parseCreditWorth(text)).toThrow(new RangeError(problem));
  });

  test("prices in another currency are refused by line, and no rate is given", () => {
    const csv = `${row("1")}acme,n,calls,1,1,EUR\n`;
    expect(ratesOf(csv, "USD 1")).toEqual(["3: : is in EUR, but a credit is worth USD"]);
  });
});

test("a rate that no credits can state is refused by line", () => {
  expect(ratesOf(row("999999999"), "USD 1e-18")).toEqual([
    "2: : is more credits than are possible",
  ]);
  expect(ratesOf(row("1e-18", 1e12), "USD 999999999")).toEqual([
    "2: : is so small that no whole micro-credits come near to it",
  ]);
});

/** A number as so many 10^-40, by moving its digits. */
function inScale(text: string): bigint {
  const [mantissa = "", power = "0"] = text.split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  return BigInt(
    whole + fraction.padEnd(fraction.length + 40 + Number(power), "0").slice(0, 40 + Number(power)),
  );
}

const SCALE = 10n ** 40n;

test("any rate is the exact price, or within half a micro-credit of it in a credit or more", () => {
  const decimal = (digits: number, smallest: number) =>
    fc
      .tuple(fc.integer({ min: 1, max: 10 ** digits }), fc.integer({ min: smallest, max: 0 }))
      .map(([of, power]) => `${of}e${power}`);
  const per = fc.constantFrom(1n, 1000n, 1_000_000n, 60n, 3n, 7n);
  fc.assert(
    fc.property(
      decimal(6, -12),
      decimal(3, -2),
      decimal(2, -4),
      per,
      (price, markup, worth, units) => {
        fc.pre(inScale(markup) <= 1000n * SCALE);
        const [rate] = ratesFrom(row(price, String(units)), markup, worth);
        if (rate === undefined) {
          const most = inScale(price) * inScale(markup) * 1_000_000n * 10n ** 14n;
          expect(most).toBeLessThan(1_000_000n * inScale(worth) * units * SCALE);
          return;
        }
        // credits / per = price x markup / worth x 1,000,000 / units, each side times all denominators.
        const given = rate.credits * inScale(worth) * units * SCALE;
        const exact = inScale(price) * inScale(markup) * 1_000_000n * rate.per;
        const off = given > exact ? given - exact : exact - given;
        const half = inScale(worth) * units * SCALE;
        expect(2n * off <= half).toBe(true);
        if (off > 0n) expect(rate.credits).toBeGreaterThanOrEqual(1_000_000n);
        // The units are those of the row and as few tens of them as possible.
        const tens = rate.per / units;
        expect(String(tens)).toMatch(/^10*$/);
        expect(tens * units).toBe(rate.per);
        if (tens > 1n) {
          const whole = exact % (10n * inScale(worth) * units * SCALE) === 0n;
          expect(whole).toBe(false);
          expect(rate.credits).toBeLessThanOrEqual(10_000_000n);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

/** The rates; none if there is a reason against one. */
function ratesFrom(csv: string, markup: string, worth: string) {
  const priced = toRates(rowsOf(csv), [parseMarkup(markup)], parseCreditWorth(`USD ${worth}`));
  return priced.kind === "refused" ? [] : priced.rates;
}

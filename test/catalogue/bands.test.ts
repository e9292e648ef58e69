/** Bands are read exactly, with or without dimensions, and every mistake in them is reported with its line. */
import { describe, expect, test } from "vitest";
import { parseCatalogue } from "../../shared/catalogue/parse-catalogue.ts";
import { inTime } from "../fuzz/in-time.ts";

test("a rate says from which quantity on it holds, or from which number in a dimension", () => {
  const text = rates(
    "{ when: { model: a }, credits: 1, per: 1 }",
    "{ when: { model: a }, from: { context_tokens: 200001 }, credits: 2, per: 1 }",
    "{ when: { model: b }, from_quantity: 9223372036854775807, credits: 3, per: 1 }",
  );
  expect(ratesOf(text)).toEqual({
    dimensions: ["model", "kind"],
    rates: [
      { patterns: ["a", null], credits: 1_000_000n, per: 1n },
      {
        patterns: ["a", null],
        band: { of: "context_tokens", from: 200_001n },
        credits: 2_000_000n,
        per: 1n,
      },
      {
        patterns: ["b", null],
        band: { of: null, from: 9_223_372_036_854_775_807n },
        credits: 3_000_000n,
        per: 1n,
      },
    ],
  });
});

test.each([
  ["left out", ""],
  ["empty", "dimensions: [], "],
])("a meter may have bands without dimensions: they are %s", (_, dimensions) => {
  const both = "[{ credits: 2, per: 1 }, { from_quantity: 10, credits: 1, per: 1 }]";
  expect(ratesOf(`meters:\n  t: { ${dimensions}rates: ${both} }`)).toEqual({
    dimensions: [],
    rates: [
      { patterns: [], credits: 2_000_000n, per: 1n },
      { patterns: [], band: { of: null, from: 10n }, credits: 1_000_000n, per: 1n },
    ],
  });
});

describe("a mistake is reported with its line, field and remedy", () => {
  const number = "must be a whole number from 1 to 9223372036854775807 in digits, not";
  test.each([
    "-1",
    "+1",
    "1.0",
    "1e5",
    "0x10",
    "1_000",
    "1,000",
    "9223372036854775808",
    "36893488147419103232",
    "00000000000000000001",
    "Infinity",
    "null",
    "٣",
  ])("a band that begins at %s", (from) => {
    const quantity = rates(`{ from_quantity: "${from}", credits: 1, per: 1 }`);
    expect(problemsOf(quantity)).toEqual([
      `5: meters.t.rates[0].from_quantity: ${number} "${from}"`,
    ]);
    const dimension = rates(`{ from: { size: "${from}" }, credits: 1, per: 1 }`);
    expect(problemsOf(dimension)).toEqual([`5: meters.t.rates[0].from.size: ${number} "${from}"`]);
  });

  test.each<[string, ...string[]]>([
    [
      rates("{ from_quantity: 0, credits: 1, per: 1 }"),
      "5: meters.t.rates[0].from_quantity: is where a rate begins without it; leave it out",
    ],
    [
      rates("{ from_quantity: [1], credits: 1, per: 1 }"),
      "5: meters.t.rates[0].from_quantity: must be a whole number like 200001",
    ],
    [
      rates("{ from_quantity: , credits: 1, per: 1 }"),
      `5: meters.t.rates[0].from_quantity: ${number} ""`,
    ],
    [
      rates(`{ from_quantity: ${"9".repeat(1_000)}, credits: 1, per: 1 }`),
      `5: meters.t.rates[0].from_quantity: ${number} "${"9".repeat(51)}...`,
    ],
    [
      rates("{ from: 9, credits: 1, per: 1 }"),
      "5: meters.t.rates[0].from: must have names and what each stands for",
    ],
    [
      rates("{ from: {}, credits: 1, per: 1 }"),
      "5: meters.t.rates[0].from: names nothing; leave it out",
    ],
    [
      rates('{ from: { "": 2 }, credits: 1, per: 1 }'),
      "5: meters.t.rates[0].from.: the name is empty",
    ],
    [
      rates("{ from: { a: 2, b: 2 }, credits: 1, per: 1 }"),
      "5: meters.t.rates[0].from: names 2 dimensions; a band begins at a number in one",
    ],
    [
      rates("{ from: { a: 2, a: 3 }, credits: 1, per: 1 }"),
      "5: meters.t.rates[0].from.a: is stated twice; first in line 5",
    ],
    [
      rates("{ from_quantity: 2, from: { a: 2 }, credits: 1, per: 1 }"),
      "5: meters.t.rates[0].from: stands beside from_quantity; a band begins at one of them",
    ],
    [
      rates("{ from_quantitty: 2, credits: 1, per: 1 }"),
      "5: meters.t.rates[0].from_quantitty: there is no such field; did you mean from_quantity?",
    ],
    [
      rates(
        "{ when: { model: a }, from_quantity: 2, credits: 1, per: 1 }",
        "{ when: { model: a }, from_quantity: 2, credits: 1, per: 1 }",
      ),
      "6: meters.t.rates[1]: is the second one for model=a, quantity from 2",
    ],
    [
      rates(
        "{ from: { size: 2 }, credits: 1, per: 1 }",
        "{ credits: 3, per: 1 }",
        "{ from: { size: 02 }, credits: 1, per: 1 }",
        "{ credits: 4, per: 1 }",
      ),
      "7: meters.t.rates[2]: is the second one for size from 2",
      "8: meters.t.rates[3]: is the second one for anything",
    ],
    [
      rates(
        "{ when: { model: a }, from_quantity: 2, credits: 1, per: 1 }",
        "{ when: { model: a }, from: { size: 3 }, credits: 1, per: 1 }",
        "{ when: { model: b }, from: { size: 3 }, credits: 1, per: 1 }",
      ),
      "6: meters.t.rates[1]: counts size, but another one for model=a counts quantity; bands of the same values count one thing",
    ],
    [
      rates(
        "{ when: { model: gpt-* }, from_quantity: 2, credits: 1, per: 1 }",
        "{ when: { model: gpt-* }, from_quantity: 3, credits: 1, per: 1 }",
        "{ when: { kind: in }, from_quantity: 2, credits: 2, per: 1 }",
      ),
      "7: meters.t.rates[2]: may match the same events as the one for model=gpt-*; state a rate for model=gpt-*, kind=in too",
    ],
    [
      "meters:\n  t:\n    rates:\n      - { when: { a: b }, from_quantity: 2, credits: 1, per: 1 }",
      "4: meters.t.rates[0].when.a: is not a dimension of the meter; it names none",
    ],
    [
      "meters:\n  t: { credits: 1, per: 1, from_quantity: 3 }",
      "2: meters.t.from_quantity: there is no such field; there are from, name, unit, credits, per, round_up, feed, tiers, dimensions, rates",
    ],
  ])("%s", (text, ...problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  test("thousands of bands are read in time, whether two begin at one number or not", () => {
    const many = (from: (at: number) => number) =>
      rates(
        ...Array.from({ length: 4_000 }, (_, at) => {
          return `{ from_quantity: ${from(at)}, credits: 1, per: 1 }`;
        }),
      );
    expect(inTime(() => problemsOf(many((at) => at + 1)))).toEqual([]);
    expect(inTime(() => problemsOf(many(() => 7)))).toHaveLength(3_999);
  });
});

function rates(...listed: readonly string[]): string {
  const lines = listed.map((rate) => `      - ${rate}\n`);
  return `meters:\n  t:\n    dimensions: [model, kind]\n    rates:\n${lines.join("")}`;
}

function ratesOf(text: string) {
  const parsed = parseCatalogue(Buffer.from(text));
  if (parsed.kind !== "parsed") throw new Error(JSON.stringify(parsed.problems));
  return parsed.asked.meters.get("t")?.[0]?.terms;
}

function problemsOf(text: string): string[] {
  const parsed = parseCatalogue(Buffer.from(text));
  if (parsed.kind === "parsed") return [];
  return parsed.problems.map(({ line, field, problem }) => `${line}: ${field}: ${problem}`);
}

/** Rates by dimensions are read exactly, and every mistake in them is reported with its line and remedy. */
import { describe, expect, test } from "vitest";
import { parseCatalogue } from "../../shared/catalogue/parse-catalogue.ts";
import { inTime } from "../fuzz/in-time.ts";

const METER = `meters:
  tokens:
    dimensions: [model, kind]
    feed: { event_type: prompt }
    rates:
      - { when: { model: gpt-5, kind: input }, credits: 0.000001, per: 1000 }
      - { when: { model: gpt-5-* }, credits: 2, per: 3 }
      - { credits: 0, per: 1 }
`;

test("rates are read with what they are for, in the order of the meter's dimensions", () => {
  const parsed = parseCatalogue(Buffer.from(METER));
  if (parsed.kind !== "parsed") throw new Error(JSON.stringify(parsed.problems));
  expect(parsed.asked.meters.get("tokens")).toEqual([
    {
      from: null,
      place: { line: 2, field: "meters.tokens" },
      terms: {
        dimensions: ["model", "kind"],
        feed: { eventType: "prompt", value: null, dimensions: new Map() },
        rates: [
          { patterns: ["gpt-5", "input"], credits: 1n, per: 1000n },
          { patterns: ["gpt-5-*", null], credits: 2_000_000n, per: 3n },
          { patterns: [null, null], credits: 0n, per: 1n },
        ],
      },
    },
  ]);
});

describe("a mistake is reported with its line, field and remedy", () => {
  test.each<[string, ...string[]]>([
    [
      rates("{ when: { modell: a }, credits: 1, per: 1 }"),
      "5: meters.t.rates[0].when.modell: is not a dimension of the meter; there are model, kind",
    ],
    [
      rates(
        "{ when: { model: a }, credits: 1, per: 1 }",
        "{ when: { model: a }, credits: 2, per: 1 }",
      ),
      "6: meters.t.rates[1]: is the second one for model=a",
    ],
    [
      rates("{ credits: 1, per: 1 }", "{ credits: 2, per: 1 }"),
      "6: meters.t.rates[1]: is the second one for anything",
    ],
    [
      rates("{ when: { model: a, model: b }, credits: 1, per: 1 }"),
      "5: meters.t.rates[0].when.model: is stated twice; first in line 5",
    ],
    [
      rates(
        "{ when: { model: gpt-* }, credits: 1, per: 1 }",
        "{ when: { kind: in }, credits: 2, per: 1 }",
      ),
      "6: meters.t.rates[1]: may match the same events as the one for model=gpt-*; state a rate for model=gpt-*, kind=in too",
    ],
    [
      rates(
        "{ when: { model: gpt-*, kind: input }, credits: 1, per: 1 }",
        "{ when: { model: gpt-5, kind: in* }, credits: 2, per: 1 }",
      ),
      "6: meters.t.rates[1]: may match the same events as the one for model=gpt-*, kind=input; state a rate for model=gpt-5, kind=input too",
    ],
    [
      rates('{ when: { model: "*" }, credits: 1, per: 1 }'),
      "5: meters.t.rates[0].when.model: stands for every value; leave the dimension out",
    ],
    [
      rates("{ when: { model: g*t }, credits: 1, per: 1 }"),
      "5: meters.t.rates[0].when.model: may have * at its end only",
    ],
    [
      rates("{ when: { model: g** }, credits: 1, per: 1 }"),
      "5: meters.t.rates[0].when.model: may have * at its end only",
    ],
    [
      rates('{ when: { model: "" }, credits: 1, per: 1 }'),
      "5: meters.t.rates[0].when.model: the value is empty",
    ],
    [
      rates("{ when: {}, credits: 1, per: 1 }"),
      "5: meters.t.rates[0].when: names nothing; leave it out",
    ],
    [rates("{ credits: -1, per: 1 }"), "5: meters.t.rates[0].credits: -1 credits are below zero"],
    [rates("{ per: 1 }"), "5: meters.t.rates[0].credits: is missing"],
    [
      rates("{ credits: 0.0000001, per: 1 }"),
      "5: meters.t.rates[0].credits: 0.0000001 has more than 6 decimals",
    ],
    [
      rates("{ credits: 1, per: 1, model: a }"),
      "5: meters.t.rates[0].model: there is no such field; there are when, from_quantity, from, credits, per, round_up",
    ],
    [
      rates(
        "{ when: { model: a }, credits: 1, per: 9223372036854775807 }",
        "{ credits: 1, per: 9223372036854775806 }",
      ),
      "4: meters.t.rates: have no common multiple of their per in 64 bits; use rounder numbers",
    ],
    [
      "meters:\n  t: { dimensions: [a, b, c, d, e], rates: [{ credits: 1, per: 1 }] }",
      "2: meters.t.dimensions: names more than 4 dimensions",
    ],
    [
      "meters:\n  t: { dimensions: [a, b, a], rates: [{ credits: 1, per: 1 }] }",
      "2: meters.t.dimensions[2]: is named twice",
    ],
    [
      "meters:\n  t: { dimensions: [], rates: [{ credits: 1, per: 1 }] }",
      "2: meters.t.dimensions: names nothing; it names what the rates depend on, where none has a band",
    ],
    ["meters:\n  t: { dimensions: [a], rates: [] }", "2: meters.t.rates: lists no rate; state one"],
    ["meters:\n  t: { dimensions: [a] }", "2: meters.t.rates: is missing; dimensions are named"],
    [
      "meters:\n  t: { rates: [{ credits: 1, per: 1 }] }",
      "2: meters.t.dimensions: is missing; it names what the rates depend on, where none has a band",
    ],
    [
      "meters:\n  t: { credits: 1, per: 1, dimensions: [a], rates: [{ credits: 1, per: 1 }] }",
      "2: meters.t.credits: stands in each of the rates; leave it out here",
      "2: meters.t.per: stands in each of the rates; leave it out here",
    ],
  ])("%s", (text, ...problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  test("10,001 rates are too many, and thousands are read in time, whether they tie or not", () => {
    const many = (count: number, patterns: (at: number) => string) =>
      rates(
        ...Array.from(
          { length: count },
          (_, at) => `{ when: { ${patterns(at)} }, credits: 1, per: 1 }`,
        ),
      );
    expect(problemsOf(many(10_001, (at) => `model: m${at}`))).toEqual([
      "1: : has more than 10000 items; split it",
    ]);
    const tied = many(2_000, (at) => (at % 2 === 0 ? `model: m${at}*` : `kind: k${at}*`));
    const problems = inTime(() => problemsOf(tied));
    expect(problems).toHaveLength(1_000);
    expect(inTime(() => problemsOf(many(4_000, (at) => `model: m${at}`)))).toEqual([]);
  });
});

function rates(...listed: readonly string[]): string {
  const lines = listed.map((rate) => `      - ${rate}\n`);
  return `meters:\n  t:\n    dimensions: [model, kind]\n    rates:\n${lines.join("")}`;
}

function problemsOf(text: string): string[] {
  const parsed = parseCatalogue(Buffer.from(text));
  if (parsed.kind === "parsed") return [];
  return parsed.problems.map(({ line, field, problem }) => `${line}: ${field}: ${problem}`);
}

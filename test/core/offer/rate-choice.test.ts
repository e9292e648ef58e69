/**
 * - of the rates that match an event's dimensions, the most specific one is chosen
 * - that is what looking through all of them finds, whatever the rates and the values are
 * - wherever two rates might both be chosen, the catalogue is refused, and only there
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rateAt, type StatedRate, toRateCard } from "../../../shared/core/offer/rate-card.ts";
import { rateTable } from "../../../shared/core/offer/rate-table.ts";
import { findTies, type RateTie } from "../../../shared/core/offer/rate-ties.ts";
import type { ValuePattern } from "../../../shared/core/offer/value-pattern.ts";
import { choose, treeOf } from "../../../shared/core/offer/value-tree.ts";
import { whyNoRate } from "../../../shared/core/offer/why-no-rate.ts";
import { naiveChoice } from "../../model/naive-rates.ts";

type Patterns = readonly ValuePattern[];

describe("the rate of an event", () => {
  const card = cardOf(
    ["model", "kind"],
    [
      [["gpt-5", "input"], 10n],
      [["gpt-5", "output"], 80n],
      [["gpt-5-*", "input"], 11n],
      [["gpt-5-mini", "input"], 2n],
      [["gpt-5-mini-*", "input"], 3n],
      [[null, "input"], 50n],
      [["gpt-5-mini", null], 4n],
    ],
  );

  test.each([
    { model: "gpt-5", kind: "input", costs: 10n },
    { model: "gpt-5", kind: "output", costs: 80n },
    { model: "gpt-5-nano", kind: "input", costs: 11n },
    { model: "gpt-5-mini", kind: "input", costs: 2n },
    { model: "gpt-5-mini-2026", kind: "input", costs: 3n },
    { model: "gpt-5-mini", kind: "output", costs: 4n },
    { model: "gpt-5-mini", kind: "", costs: 4n },
    { model: "gpt-5-", kind: "input", costs: 11n },
    { model: "claude", kind: "input", costs: 50n },
    { model: "", kind: "input", costs: 50n },
    { model: "constructor", kind: "input", costs: 50n },
  ])("for $model, $kind costs $costs", ({ model, kind, costs }) => {
    const rate = rateAt(card, usage({ model, kind, region: "eu" }));
    expect(rate).toMatchObject({ credits: costs });
  });

  test("is none where nothing matches, and the nearest are named", () => {
    const dimensions = { model: "gpt-5-nano", kind: "output" };
    expect(rateAt(card, usage(dimensions))).toBe("no_price");
    expect(whyNoRate(card, usage(dimensions))).toBe(
      "meter tokens has no rate for model=gpt-5-nano, kind=output; the nearest are for model=gpt-5, kind=output; model=gpt-5-mini; model=gpt-5-*, kind=input",
    );
    expect(rateAt(card, usage({}))).toBe("no_price");
    expect(whyNoRate(card, usage({}))).toContain(
      "has no rate for model=none, kind=none; the nearest are for kind=input;",
    );
    expect(whyNoRate(card, { ...usage(dimensions), occurredAt: 0 })).toBe(
      "meter tokens had no price yet when this occurred; its first is from 1970-01-01T00:00:00.001Z on",
    );
    expect(whyNoRate(card, { ...usage(dimensions), meter: "calls" })).toBe(
      "meter calls has no price; set one",
    );
  });

  test("is that of the version in force when it occurred, whole", () => {
    const later = tableOf(["region"], [[["eu"], 7n]], 10);
    const versions = toRateCard([tableOf(["model"], [[["gpt-5"], 1n]], 0), later]);
    const values = { model: "gpt-5", region: "eu" };
    const at = (occurredAt: number) => ({ ...usage(values), occurredAt });
    expect(rateAt(versions, at(9))).toMatchObject({ credits: 1n });
    expect(rateAt(versions, at(10))).toMatchObject({ credits: 7n });
    const other = { ...at(10), dimensions: { model: "gpt-5" } };
    expect(rateAt(versions, other)).toBe("no_price");
  });
});

const someText = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 3 });
const somePattern: fc.Arbitrary<ValuePattern> = fc.oneof(
  someText,
  someText.map((stem) => `${stem}*`),
  fc.constant(null),
);
const someRates = fc.integer({ min: 1, max: 4 }).chain((dimensions) =>
  fc.array(fc.array(somePattern, { minLength: dimensions, maxLength: dimensions }), {
    minLength: 1,
    maxLength: 12,
  }),
);
const someValues = fc.array(fc.oneof(someText, fc.constant("")), { minLength: 4, maxLength: 4 });

describe("whatever the rates", () => {
  test("without ties, what is chosen is what looking through all of them finds", () => {
    fc.assert(
      fc.property(someRates, fc.array(someValues, { maxLength: 20 }), (rates, all) => {
        const kept = withoutTies(rates);
        const names = ["a", "b", "c", "d"].slice(0, kept[0]?.length);
        const tree = treeOf(kept.map((patterns, chosen) => ({ patterns, chosen })));
        for (const values of all) {
          const named = Object.fromEntries(names.map((name, i) => [name, values[i] ?? ""]));
          const expected = naiveChoice(
            kept.map((patterns) => ({ patterns })),
            values.slice(0, names.length),
          );
          const place = choose(tree, names, named);
          expect(place === null ? null : kept[place]).toBe(expected?.patterns ?? null);
          // Without ties, none that matches is left out.
          const matches = kept.some((patterns) => naiveChoice([{ patterns }], values) !== null);
          expect(place !== null).toBe(matches);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  test("a tie is of two rates that may both be chosen", () => {
    fc.assert(
      fc.property(someRates, (rates) => {
        for (const tie of findTies(rates.map((patterns) => ({ patterns })))) {
          const both = [rates[tie.at] ?? [], rates[tie.other] ?? []];
          if (tie.kind === "same") expect(both[0]).toEqual(both[1]);
          else expectTie(both, tie);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

test("a choice among thousands, and the search for ties, take no time", () => {
  const rates = Array.from({ length: 10_000 }, (_, at): [Patterns, bigint] => [
    [at % 2 === 0 ? `model-${at}` : `model-${at}-*`, at % 5 === 0 ? null : `kind-${at % 5}`],
    BigInt(at),
  ]);
  expect(findTies(rates.map(([patterns]) => ({ patterns })))).toEqual([]);
  const card = cardOf(["model", "kind"], rates);
  for (let at = 1; at < 10_000; at += 2) {
    const dimensions = { model: `model-${at}-x`, kind: `kind-${at % 5}` };
    expect(rateAt(card, usage(dimensions))).toMatchObject({ credits: BigInt(at) });
  }
}, 10_000);

/** Both match some values, and neither is chosen for them. */
function expectTie(both: readonly Patterns[], tie: RateTie): void {
  if (tie.kind !== "tie") throw new Error("there are no bands");
  // A value of each missing pattern that no longer pattern matches.
  const values = tie.missing.map((pattern) =>
    pattern === null ? "" : pattern.endsWith("*") ? `${pattern.slice(0, -1)}~` : pattern,
  );
  for (const patterns of both) expect(naiveChoice([{ patterns }], values)).not.toBeNull();
  expect(
    naiveChoice(
      both.map((patterns) => ({ patterns })),
      values,
    ),
  ).toBeNull();
}

/** The rates up to the first one that would tie, and so on. */
function withoutTies(rates: readonly Patterns[]): Patterns[] {
  const kept: Patterns[] = [];
  for (const patterns of rates) {
    const more = [...kept, patterns].map((one) => ({ patterns: one }));
    if (findTies(more).length === 0) kept.push(patterns);
  }
  return kept;
}

function tableOf(
  dimensions: readonly string[],
  rates: readonly (readonly [Patterns, bigint])[],
  validFrom = 1,
) {
  const stated = rates.map(([patterns, credits]): StatedRate => ({ patterns, credits, per: 1n }));
  return rateTable({ meter: "tokens", validFrom }, { dimensions, rates: stated });
}

function cardOf(...of: Parameters<typeof tableOf>) {
  return toRateCard([tableOf(...of)]);
}

function usage(dimensions: Record<string, string>) {
  return { meter: "tokens", quantity: 1n, occurredAt: 5, dimensions };
}

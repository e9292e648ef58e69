/**
 * - the highest band that an event reaches prices all of it; its values are chosen first, and make no tie with bands
 * - below the lowest band, or where what is counted is no whole number, there is no price, and the detail says why
 * - that is what looking through all rates finds, event by event and in columns, whatever the bands
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import type { Band } from "../../../shared/core/offer/rate-bands.ts";
import {
  exactPrice,
  rateAt,
  type StatedRate,
  toRateCard,
} from "../../../shared/core/offer/rate-card.ts";
import { rateTable } from "../../../shared/core/offer/rate-table.ts";
import { findTies } from "../../../shared/core/offer/rate-ties.ts";
import type { ValuePattern } from "../../../shared/core/offer/value-pattern.ts";
import { whyNoRate } from "../../../shared/core/offer/why-no-rate.ts";
import { NameTable } from "../../../shared/core/usage/name-table.ts";
import { NumberedRates } from "../../../shared/core/usage/numbered-rates.ts";
import { naivePrice } from "../../model/naive-rates.ts";
import { eventWith } from "../../support/core/examples.ts";
import { someTable, someUsage } from "../../support/core/some-rates.ts";

const fromQuantity = (from: bigint): Band => ({ of: null, from });
const fromContext = (from: bigint): Band => ({ of: "context_tokens", from });

describe("the rate of an event", () => {
  const card = cardOf(
    ["model"],
    [
      [["sonata"], 3n],
      [["sonata"], 6n, fromContext(200_001n)],
      [["sonata"], 9n, fromContext(1_000_001n)],
      [["sonata-*"], 5n, fromQuantity(4n)],
      [["sonata-*"], 8n, fromQuantity(9n)],
      [["sonata-mini"], 1n],
      [["fugue"], 7n, fromContext(MAX_BIGINT)],
    ],
  );

  test.each([
    { model: "sonata", context: undefined, costs: 3n },
    { model: "sonata", context: "", costs: 3n },
    { model: "sonata", context: "0", costs: 3n },
    { model: "sonata", context: "200000", costs: 3n },
    { model: "sonata", context: "200001", costs: 6n },
    { model: "sonata", context: "0200001", costs: 6n },
    { model: "sonata", context: "1000000", costs: 6n },
    { model: "sonata", context: "1000001", costs: 9n },
    { model: "sonata", context: String(MAX_BIGINT), costs: 9n },
    { model: "sonata", context: String(MAX_BIGINT + 1n), costs: null },
    { model: "sonata", context: "00000000000000000001", costs: null },
    { model: "sonata", context: "-1", costs: null },
    { model: "sonata", context: "+1", costs: null },
    { model: "sonata", context: "1.0", costs: null },
    { model: "sonata", context: "1e5", costs: null },
    { model: "sonata", context: " 1", costs: null },
    { model: "sonata", context: "1\n", costs: null },
    { model: "sonata", context: "٣", costs: null },
    { model: "fugue", context: String(MAX_BIGINT), costs: 7n },
    { model: "fugue", context: String(MAX_BIGINT - 1n), costs: null },
    { model: "sonata-mini", context: "200001", costs: 1n },
  ])("for $model with a context of $context costs $costs", ({ model, context, costs }) => {
    const dimensions: Record<string, string> =
      context === undefined ? { model } : { model, context_tokens: context };
    const expected = costs === null ? "no_price" : expect.objectContaining({ credits: costs });
    expect(rateAt(card, usage(1n, dimensions))).toEqual(expected);
  });

  test.each([
    { quantity: 0n, costs: null },
    { quantity: 3n, costs: null },
    { quantity: 4n, costs: 5n },
    { quantity: 8n, costs: 5n },
    { quantity: 9n, costs: 8n },
    { quantity: MAX_BIGINT, costs: 8n },
  ])("for a quantity of $quantity costs $costs", ({ quantity, costs }) => {
    const expected = costs === null ? "no_price" : expect.objectContaining({ credits: costs });
    expect(rateAt(card, usage(quantity, { model: "sonata-2" }))).toEqual(expected);
  });

  test.each([
    [
      usage(3n, { model: "sonata-2" }),
      "meter tokens has no rate for model=sonata-* with quantity below 4; this is 3",
    ],
    [
      usage(3n, { model: "fugue" }),
      `meter tokens has no rate for model=fugue with context_tokens below ${MAX_BIGINT}; this is 0`,
    ],
    [
      usage(3n, { model: "sonata", context_tokens: "1e5" }),
      'meter tokens is priced for model=sonata by context_tokens, which must be a whole number from 0 to 9223372036854775807 in digits, not "1e5"',
    ],
    [
      usage(3n, { model: "other" }),
      "meter tokens has no rate for model=other; the nearest are for model=sonata; model=sonata-*; model=sonata-mini",
    ],
  ])("is none, and it says why: %o", (event, why) => {
    expect(rateAt(card, event)).toBe("no_price");
    expect(whyNoRate(card, event)).toBe(why);
  });

  test("may depend on its quantity alone", () => {
    const calls = cardOf(
      [],
      [
        [[], 2n, fromQuantity(10n)],
        [[], 1n, fromQuantity(100n)],
      ],
    );
    expect(rateAt(calls, usage(99n, {}))).toMatchObject({ credits: 2n });
    expect(rateAt(calls, usage(100n, {}))).toMatchObject({ credits: 1n });
    expect(whyNoRate(calls, usage(9n, {}))).toBe(
      "meter tokens has no rate for anything with quantity below 10; this is 9",
    );
  });
});

describe("bands of the same values", () => {
  test.each<[string, readonly (Band | null)[], readonly object[]]>([
    ["begin at different numbers", [null, fromQuantity(1n), fromQuantity(2n)], []],
    ["need no rate from 0 on", [fromContext(2n), fromContext(1n)], []],
    ["begin at one number once", [fromQuantity(2n), fromQuantity(2n)], [same(1, 0)]],
    ["begin at 0 once", [null, fromQuantity(2n), null], [same(2, 0)]],
    ["count one thing", [null, fromQuantity(2n), fromContext(3n)], [mixed(2, 1)]],
    ["count one dimension", [fromContext(2n), { of: "x", from: 3n }, null], [mixed(1, 0)]],
  ])("%s", (_, bands, ties) => {
    expect(findTies(bands.map((band) => ({ patterns: ["a"], ...bandIn(band) })))).toEqual(ties);
  });

  test("tie with other values once, as rates without bands do", () => {
    const first = { patterns: ["a", null] };
    const second = { patterns: [null, "b"] };
    const banded = { ...second, band: fromQuantity(5n) };
    const missing = { patterns: ["a", "b"], band: fromContext(5n) };
    expect(findTies([first, second, banded])).toEqual([
      { kind: "tie", at: 1, other: 0, missing: ["a", "b"] },
    ]);
    expect(findTies([first, second, banded, missing])).toEqual([]);
  });
});

test("whatever the bands, what is chosen is what looking through all rates finds, in columns, too", () => {
  fc.assert(
    fc.property(someTable, fc.array(someUsage, { maxLength: 20 }), (terms, events) => {
      const table = rateTable({ meter: "tokens", validFrom: 0 }, terms);
      const card = toRateCard([table]);
      const numbers = new NameTable<Record<string, string>>((bytes) =>
        JSON.parse(Buffer.from(bytes).toString()),
      );
      const numbered = new NumberedRates(card, numbers);
      for (const { quantity, dimensions } of events) {
        const event = usage(quantity, dimensions);
        const rate = rateAt(card, event);
        const naive = naivePrice(eventWith(event), [table]);
        if (typeof rate === "string" || typeof naive === "string") expect(rate).toBe(naive);
        else expect(exactPrice(rate, quantity) * naive.whole).toBe(naive.parts * rate.per);
        if (quantity >= 2n ** 52n) continue;
        const text = Buffer.from(JSON.stringify(dimensions));
        const number = numbers.numberOf(text, 0, text.length);
        const found = numbered.at("tokens", 5, number, Number(quantity));
        expect(found?.credits).toBe(typeof rate === "string" ? undefined : Number(rate.credits));
      }
    }),
    { numRuns: 2_000 },
  );
});

function bandIn(band: Band | null): Pick<StatedRate, "band"> {
  return band === null ? {} : { band };
}

function same(at: number, other: number) {
  return { kind: "same", at, other };
}

function mixed(at: number, other: number) {
  return { kind: "mixed", at, other };
}

function cardOf(
  dimensions: readonly string[],
  rates: readonly (readonly [readonly ValuePattern[], bigint, Band?])[],
) {
  const stated = rates.map(([patterns, credits, band]): StatedRate => {
    return { patterns, credits, per: 1n, ...bandIn(band ?? null) };
  });
  return toRateCard([rateTable({ meter: "tokens", validFrom: 1 }, { dimensions, rates: stated })]);
}

function usage(quantity: bigint, dimensions: Record<string, string>) {
  return { meter: "tokens", quantity, occurredAt: 5, dimensions };
}

import fc from "fast-check";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import type { Band } from "../../../shared/core/offer/rate-bands.ts";
import type { RoundUp, StatedRate } from "../../../shared/core/offer/rate-card.ts";
import type { TableTerms } from "../../../shared/core/offer/rate-table.ts";
import { findTies } from "../../../shared/core/offer/rate-ties.ts";
import type { ValuePattern } from "../../../shared/core/offer/value-pattern.ts";

const somePattern = fc.constantFrom<ValuePattern>("a", "ab", "a*", "ab*", null);
const someBand: fc.Arbitrary<Band | null> = fc.option(
  fc.record({
    of: fc.constantFrom(null, "a", "size"),
    from: fc.oneof(fc.bigInt(1n, 4n), fc.constantFrom(2n ** 52n - 1n, MAX_BIGINT)),
  }),
);
const someConditions = fc.array(
  fc.record({
    patterns: fc.tuple(somePattern, somePattern),
    band: someBand,
    roundUp: fc.constantFrom<RoundUp | null>("each_event", null, null),
  }),
  {
    minLength: 1,
    maxLength: 14,
  },
);
const someNumber = fc.oneof(fc.bigInt(0n, 5n), fc.constantFrom(2n ** 52n - 1n, MAX_BIGINT));

/** Rates by the dimensions a and b, some with bands, some for packages; each has a price of its own. */
export const someTable: fc.Arbitrary<TableTerms> = someConditions.map((conditions) => {
  const rates: StatedRate[] = [];
  for (const [at, { patterns, band, roundUp }] of conditions.entries()) {
    const price = { credits: BigInt(at + 1), per: BigInt((at % 3) + 1) };
    const rounded = roundUp === null ? {} : { roundUp };
    const rate = { patterns, ...(band === null ? {} : { band }), ...price, ...rounded };
    if (findTies([...rates, rate]).length === 0) rates.push(rate);
  }
  return { dimensions: ["a", "b"], rates };
});

/** Events that such rates match, or nearly. */
export const someUsage = fc.record({
  quantity: someNumber,
  dimensions: fc.record(
    {
      a: fc.constantFrom("a", "ab", "abc", "b", "", "1", "3"),
      b: fc.constantFrom("a", "ab", "abc", "b", ""),
      size: fc.oneof(
        someNumber.map(String),
        fc.constantFrom("", "x", "-1", "03", "1.0", "2\n", "٣", String(MAX_BIGINT + 1n)),
      ),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<Record<string, string>>,
});

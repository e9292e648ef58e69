/**
 * - rates that price only what a version left without a price complete it, and nothing else does
 * - no event that had a price has another one after, nor other units in which remainders are counted
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MeterTerms } from "../../../shared/core/offer/catalogue-terms.ts";
import { completed } from "../../../shared/core/offer/complete-version.ts";
import { rateAt, type StatedRate, toRateCard } from "../../../shared/core/offer/rate-card.ts";
import { rateTable, type TableTerms } from "../../../shared/core/offer/rate-table.ts";
import { findTies } from "../../../shared/core/offer/rate-ties.ts";
import { someTable, someUsage } from "../../support/core/some-rates.ts";

const gpt5: StatedRate = { patterns: ["gpt-5", "in"], credits: 5n, per: 10n };
const gpts: StatedRate = { patterns: ["gpt-*", "out"], credits: 7n, per: 4n };
const video: StatedRate = {
  ...{ patterns: ["video", null], credits: 7n, per: 1n },
  band: { of: null, from: 9n },
};
const standing: TableTerms = { dimensions: ["model", "kind"], rates: [gpt5, gpts, video] };

describe("a version is completed", () => {
  test.each<[string, StatedRate]>([
    ["by another model", { patterns: ["opus", "in"], credits: 1n, per: 1n }],
    ["by another kind", { patterns: ["gpt-5", "other"], credits: 1n, per: 1n }],
    ["by what lies around a rate", { patterns: ["gpt-*", "in"], credits: 1n, per: 20n }],
    ["by a default", { patterns: [null, null], credits: 1n, per: 5n }],
    ["by a band below the lowest", { ...video, band: { of: null, from: 2n } }],
    ["by what holds below the lowest band", { patterns: ["video", null], credits: 1n, per: 1n }],
  ])("%s", (_, rate) => {
    const terms = { ...standing, rates: [rate, ...standing.rates] };
    expect(completed(standing, terms)).toEqual({ ...standing, rates: [...standing.rates, rate] });
  });

  test("by rates that are stated in another order, with the dimensions in another order", () => {
    const turned = (rate: StatedRate) => ({ ...rate, patterns: rate.patterns.toReversed() });
    const opus = { patterns: ["opus", "in"], credits: 1n, per: 1n };
    const terms = { dimensions: ["kind", "model"], rates: [opus, ...standing.rates].map(turned) };
    const rates = [...standing.rates, opus];
    expect(completed(standing, terms)).toEqual({ ...standing, rates });
  });
});

describe("a version is not completed", () => {
  const opus = { patterns: ["opus", "in"], credits: 1n, per: 1n };
  const feed = { eventType: "prompt", value: null, dimensions: new Map() };
  test.each<[string, MeterTerms]>([
    ["by nothing", standing],
    ["by one price", { credits: 1n, per: 1n }],
    ["by a rate within another", withRate({ ...gpts, patterns: ["gpt-4", "out"] })],
    ["by a rate within another one's values", withRate({ ...gpts, patterns: ["gpt-5-*", "out"] })],
    ["by a band above the lowest", withRate({ ...video, band: { of: null, from: 10n } })],
    ["by units that remainders are not counted in", withRate({ ...opus, per: 3n })],
    ["by another price", { ...standing, rates: [{ ...gpt5, credits: 6n }, gpts, video, opus] }],
    ["by fewer rates", { ...standing, rates: [gpt5, gpts, opus] }],
    ["by another feed", { ...withRate(opus), feed }],
    ["by other dimensions", { ...withRate(opus), dimensions: ["model", "sort"] }],
    [
      "by another dimension",
      {
        dimensions: ["model", "kind", "region"],
        rates: [...standing.rates, opus].map((rate) => {
          return { ...rate, patterns: [...rate.patterns, null] };
        }),
      },
    ],
  ])("%s", (_, terms) => {
    expect(completed(standing, terms)).toBeNull();
  });

  function withRate(rate: StatedRate): TableTerms {
    return { ...standing, rates: [...standing.rates, rate] };
  }
});

test("whatever is added, no event that had a price has another one after", () => {
  let count = 0;
  const some = fc.array(someUsage, { maxLength: 30 });
  const someKept = fc.array(fc.boolean(), { minLength: 14, maxLength: 14 });
  fc.assert(
    fc.property(someTable, someKept, some, (whole, isKept, events) => {
      const rates = whole.rates.filter((_, at) => isKept[at]);
      if (rates.length === 0 || findTies(rates).length > 0) return;
      const terms = completed({ ...whole, rates }, whole);
      if (terms === null || !("rates" in terms)) return;
      count += 1;
      const before = rateTable({ meter: "m", validFrom: 0 }, { ...whole, rates });
      const after = rateTable({ meter: "m", validFrom: 0 }, terms);
      expect(after.per).toBe(before.per);
      expect(findTies(terms.rates)).toEqual([]);
      for (const event of events) {
        const used = { ...event, meter: "m", occurredAt: 5 };
        const was = rateAt(toRateCard([before]), used);
        if (typeof was === "string") continue;
        expect(rateAt(toRateCard([after]), used)).toMatchObject({
          stated: was.stated,
          credits: was.credits,
        });
      }
    }),
    { numRuns: 3_000 },
  );
  expect(count).toBeGreaterThan(100);
});

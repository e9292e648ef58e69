/** All rates of a version have one remainder: what they draw together is within a micro-credit of the price. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  carries,
  price,
  remainderAfter,
  type StatedRate,
} from "../../../shared/core/offer/rate-card.ts";
import { commonPer, rateTable } from "../../../shared/core/offer/rate-table.ts";

const someRate = fc.record({
  patterns: fc.constant([null]),
  credits: fc.bigInt(0n, 1_000n),
  per: fc.constantFrom(1n, 2n, 3n, 10n, 1_000n, 60_000n, 1_000_000n),
});

test("rates for different units share one remainder, in the least of their multiples", () => {
  const rates: StatedRate[] = [
    { patterns: ["a"], credits: 1n, per: 2n },
    { patterns: ["b"], credits: 1n, per: 3n },
    { patterns: ["c"], credits: 4n, per: 2n },
  ];
  const table = rateTable({ meter: "m", validFrom: 0 }, { dimensions: ["d"], rates });
  expect(table.per).toBe(6n);
  expect(table.rates.map(({ credits, per }) => [credits, per])).toEqual([
    [3n, 6n],
    [2n, 6n],
    [12n, 6n],
  ]);
  expect(table.rates.map(carries)).toEqual([true, true, false]);
  expect(table.carries).toBe(true);
});

test("whatever is used in whatever order, all of it is within a micro-credit of its exact price", () => {
  const some = fc.array(someRate, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(some, fc.array(fc.tuple(fc.nat(5), fc.bigInt(0n, 10_000n))), (stated, used) => {
      const rates = stated.map((rate, at) => ({ ...rate, patterns: [`v${at}`] }));
      const table = rateTable({ meter: "m", validFrom: 0 }, { dimensions: ["d"], rates });
      const whole = commonPer(rates);
      let [drawn, exact, remainder] = [0n, 0n, 0n];
      for (const [at, quantity] of used) {
        const rate = table.rates[at % rates.length];
        const given = rates[at % rates.length];
        if (rate === undefined || given === undefined) continue;
        const credits = price(rate, quantity, carries(rate) ? remainder : 0n);
        if (carries(rate)) remainder = remainderAfter(rate, quantity, credits, remainder);
        drawn += credits;
        exact += (quantity * given.credits * whole) / given.per;
      }
      expect(exact - drawn * whole).toBe(remainder);
      expect(remainder >= 0n && remainder < whole).toBe(true);
    }),
  );
});

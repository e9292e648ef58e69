/**
 * Prices by how much was used in a month, tiers and packages of the month:
 *
 * - however the usage is cut and ordered, the month costs what all of it costs, in whole micro-credits
 * - a discount is on all of it
 * - whatever was used before, an event costs within the bounds by which its record is checked
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import {
  costWhenever,
  countedMonth,
  mostOfMonth,
  priceOfMonth,
  tieredPrice,
} from "../../../shared/core/offer/month-price.ts";
import { ownCard } from "../../../shared/core/offer/own-card.ts";
import {
  carries,
  type Rate,
  rateAt,
  type Tier,
  toRateCard,
} from "../../../shared/core/offer/rate-card.ts";
import { inDoubles } from "../../../shared/core/offer/rate-in-doubles.ts";
import { discountOf } from "../../support/core/own-terms.ts";

const TIERED: Rate = {
  ...{ meter: "pages", validFrom: 0 },
  ...tieredPrice([
    { upTo: 10n, credits: 2n, per: 1n },
    { upTo: 30n, credits: 1n, per: 3n },
    { upTo: null, credits: 0n, per: 1n },
  ]),
};
const PACKAGED: Rate = {
  ...{ meter: "pages", validFrom: 0, credits: 7n, per: 10n },
  roundUp: "each_month",
};

describe("a month's usage", () => {
  test.each([
    { used: 0n, is: 0n },
    { used: 10n, is: 20n },
    { used: 11n, is: 20n },
    { used: 13n, is: 21n },
    { used: 30n, is: 26n },
    { used: MAX_BIGINT, is: 26n },
  ])("of $used costs $is in tiers: each holds for what lies in it", ({ used, is }) => {
    expect(priceOfMonth(TIERED, used)).toBe(is);
  });

  test.each([
    { used: 0n, is: 0n },
    { used: 1n, is: 7n },
    { used: 10n, is: 7n },
    { used: 11n, is: 14n },
  ])("of $used costs $is in packages", ({ used, is }) => {
    expect(priceOfMonth(PACKAGED, used)).toBe(is);
  });

  test("at a discount costs that much less, rounded down once", () => {
    expect(priceOfMonth(discounted(TIERED, 2_500), 13n)).toBe(15n);
    expect(priceOfMonth(discounted(PACKAGED, 2_500), 11n)).toBe(10n);
  });
});

test("a month is UTC's, of when the usage occurred, and another one under another version", () => {
  const at = Date.UTC(2026, 2, 1);
  expect(countedMonth(TIERED, at).month).toBe(at);
  expect(countedMonth(TIERED, at - 1).month).toBe(Date.UTC(2026, 1, 1));
  expect(countedMonth(TIERED, at)).toBe(countedMonth(TIERED, at + 86_400_000));
  expect(countedMonth(PACKAGED, at)).not.toBe(countedMonth(TIERED, at));
});

test("nothing is carried, and doubles do not calculate it", () => {
  for (const rate of [TIERED, PACKAGED, discounted(TIERED, 3_333), discounted(PACKAGED, 3_333)]) {
    expect(carries(rate)).toBe(false);
    expect(inDoubles(rate)).toBe(null);
  }
});

const someTiers = fc
  .array(fc.tuple(fc.bigInt(1n, 20n), fc.bigInt(0n, 50n), fc.constantFrom(1n, 2n, 3n, 1_000n)), {
    minLength: 1,
    maxLength: 5,
  })
  .map((parts) => {
    let end = 0n;
    return parts.map(([size, credits, per], at): Tier => {
      end += size;
      return { upTo: at === parts.length - 1 ? null : end, credits, per };
    });
  });
const someRate = fc
  .oneof(
    someTiers.map((tiers): Rate => ({ meter: "pages", validFrom: 0, ...tieredPrice(tiers) })),
    fc.record({ credits: fc.bigInt(0n, 50n), per: fc.bigInt(1n, 20n) }).map((price): Rate => {
      return { meter: "pages", validFrom: 0, ...price, roundUp: "each_month" };
    }),
  )
  .chain((rate) => fc.integer({ min: 0, max: 10_000 }).map((off) => [rate, discounted(rate, off)]));

test("in whatever order and parts it comes, the month costs the same, and each part lies within its bounds", () => {
  fc.assert(
    fc.property(someRate, fc.array(fc.bigInt(0n, 40n), { maxLength: 12 }), (rates, parts) => {
      for (const rate of rates) {
        let [used, paid] = [0n, 0n];
        for (const quantity of parts) {
          const credits = priceOfMonth(rate, used + quantity) - priceOfMonth(rate, used);
          const { least, most } = costWhenever(rate, quantity);
          expect(credits >= least && credits <= most).toBe(true);
          used += quantity;
          paid += credits;
        }
        const all = parts.toSorted((a, b) => Number(b - a)).reduce((sum, part) => sum + part, 0n);
        expect(paid).toBe(priceOfMonth(rate, all));
        expect(paid).toBe(unitByUnit(rate, all));
      }
    }),
  );
});

test("the most that a quantity may cost is what it costs at the dearest place that the month may still come to", () => {
  const small = fc.bigInt(0n, 40n);
  fc.assert(
    fc.property(someRate, small, small, (rates, quantity, used) => {
      for (const rate of rates) {
        let dearest = 0n;
        for (let begin = used; begin <= used + 200n; begin += 1n) {
          const credits = priceOfMonth(rate, begin + quantity) - priceOfMonth(rate, begin);
          if (credits > dearest) dearest = credits;
        }
        const most = mostOfMonth(rate, quantity, used);
        // What is rounded down on either side may come to one more.
        expect(most === dearest || most === dearest + 1n).toBe(true);
      }
    }),
  );
});

/** Every unit at the price of its tier, or of its package. */
function unitByUnit(rate: Rate, used: bigint): bigint {
  const { from = rate, factor = 1n } = rate as { from?: Rate; factor?: bigint };
  let parts = 0n;
  for (let unit = 1n; unit <= used; unit += 1n) {
    const tier = from.tiers?.find(({ upTo }) => upTo === null || unit <= upTo);
    if (tier !== undefined) parts += (tier.credits * from.per) / tier.per;
    else if ((unit - 1n) % from.per === 0n) parts += from.credits * from.per;
  }
  return (parts * factor) / rate.per;
}

function discounted(rate: Rate, basisPoints: number): Rate {
  const card = ownCard(toRateCard([rate]), [discountOf("acme", null, 0, basisPoints)]);
  const own = rateAt(card, { meter: "pages", occurredAt: 0, quantity: 1n, dimensions: {} });
  if (typeof own === "string") throw new Error(own);
  return own;
}

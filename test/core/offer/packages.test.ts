/** Units are sold in packages: each event pays for those that it begins, whatever was used before. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import { ownCard } from "../../../shared/core/offer/own-card.ts";
import {
  carries,
  costOf,
  price,
  type Rate,
  rateAt,
  remainderAfter,
  type StatedRate,
  toRateCard,
} from "../../../shared/core/offer/rate-card.ts";
import {
  inDoubles,
  priceInDoubles,
  remainderInDoubles,
} from "../../../shared/core/offer/rate-in-doubles.ts";
import { rateTable } from "../../../shared/core/offer/rate-table.ts";
import { discountOf, ownRates } from "../../support/core/own-terms.ts";

const MINUTES: Rate = {
  ...{ meter: "seconds", validFrom: 0, credits: 7n, per: 60n },
  roundUp: "each_event",
};

describe("a price of 7 for each 60 units begun", () => {
  test.each([
    { quantity: 0n, is: 0n },
    { quantity: 1n, is: 7n },
    { quantity: 60n, is: 7n },
    { quantity: 61n, is: 14n },
    { quantity: MAX_BIGINT, is: ((MAX_BIGINT + 59n) / 60n) * 7n },
  ])("is $is for $quantity", ({ quantity, is }) => {
    expect(price(MINUTES, quantity)).toBe(is);
    expect(costOf(MINUTES, quantity)).toEqual({ least: is, most: is });
  });

  test("carries nothing", () => {
    expect(carries(MINUTES)).toBe(false);
  });
});

test("packages stand beside single units, and pass on what these carry", () => {
  const rates: StatedRate[] = [
    { patterns: ["a"], credits: 1n, per: 7n },
    { patterns: ["b"], credits: 5n, per: 3n, roundUp: "each_event" },
  ];
  const table = rateTable({ meter: "m", validFrom: 0 }, { dimensions: ["d"], rates });
  const [single, packaged] = table.rates;
  if (single === undefined || packaged === undefined) throw new Error("there are two rates");
  expect(price(single, 6n)).toBe(0n);
  const left = remainderAfter(single, 6n, 0n, 0n);
  expect(price(packaged, 4n, left)).toBe(10n);
  expect(remainderAfter(packaged, 4n, 10n, left)).toBe(left);
  expect(price(single, 1n, left)).toBe(1n);
});

test("a discount is on the package, and what is left of a micro-credit is carried", () => {
  const card = ownCard(toRateCard([MINUTES]), [discountOf("acme", null, 0, 5_000)]);
  const rate = rateAt(card, { meter: "seconds", occurredAt: 0, quantity: 61n, dimensions: {} });
  if (typeof rate === "string") throw new Error(rate);
  expect(price(rate, 61n)).toBe(7n);
  expect(price(rate, 60n)).toBe(3n);
  expect(price(rate, 1n, remainderAfter(rate, 60n, 3n, 0n))).toBe(4n);
});

test("an account's own rate may sell packages of another size, or single units", () => {
  const pays = (terms: Pick<Rate, "credits" | "per" | "roundUp">, quantity: bigint) => {
    const card = ownCard(toRateCard([MINUTES]), [ownRates("acme", "seconds", 0, terms)]);
    const rate = rateAt(card, { meter: "seconds", occurredAt: 0, quantity, dimensions: {} });
    return typeof rate === "string" ? rate : price(rate, quantity);
  };
  expect(pays({ credits: 1n, per: 7n, roundUp: "each_event" }, 61n)).toBe(9n);
  expect(pays({ credits: 1n, per: 7n }, 61n)).toBe(8n);
});

test("the price in doubles is the price in integers", () => {
  const some = fc.bigInt(0n, 2n ** 40n);
  const least1 = fc.bigInt(1n, 2n ** 20n);
  const someDiscount = fc.integer({ min: 0, max: 10_000 });
  fc.assert(
    fc.property(some, least1, some, someDiscount, (credits, per, quantity, discount) => {
      const list: Rate = { ...MINUTES, credits, per };
      const card = ownCard(toRateCard([list]), [discountOf("acme", null, 0, discount)]);
      const own = rateAt(card, { meter: "seconds", occurredAt: 0, quantity, dimensions: {} });
      if (typeof own === "string") throw new Error(own);
      for (const rate of [list, own]) expectSameInDoubles(rate, quantity);
    }),
    { numRuns: 2_000 },
  );
});

/** Wherever doubles hold what is calculated. */
function expectSameInDoubles(rate: Rate, quantity: bigint): void {
  const doubles = inDoubles(rate);
  if (doubles === null) return;
  const remainder = carries(rate) ? rate.per - 1n : 0n;
  const numbers = [Number(quantity), Number(remainder)] as const;
  const credits = priceInDoubles(doubles, ...numbers);
  if (Number.isNaN(credits)) return;
  expect(BigInt(credits)).toBe(price(rate, quantity, remainder));
  if (!carries(rate)) return;
  const left = remainderAfter(rate, quantity, BigInt(credits), remainder);
  expect(BigInt(remainderInDoubles(doubles, ...numbers))).toBe(left);
}

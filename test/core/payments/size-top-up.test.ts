/**
 * - money buys credits at the current price, in whole numbers, rounded up by less than one micro-credit:
 *   credits * unit >= amount * price > (credits - 1) * unit
 * - a top-up is the smallest whole multiple of the amount that brings the balance above the threshold
 * - by default USD 10, JPY 1,000, KWD 10.000; a currency has 0, 2 or 3 decimals
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CreditPrice } from "../../../shared/core/offer/catalogue.ts";
import { MOST_CHARGED, usualTopUp } from "../../../shared/core/payments/charge-limits.ts";
import { creditsFor, timesToLift } from "../../../shared/core/payments/size-top-up.ts";
import { minorUnitsOf } from "../../../shared/core/text/money.ts";

describe("money buys credits", () => {
  test.each([
    {
      what: "ten dollars at 50 a dollar",
      amount: 1000n,
      of: "USD",
      at: 50_000_000n,
      is: 500_000_000n,
    },
    { what: "one cent at 50 a dollar", amount: 1n, of: "USD", at: 50_000_000n, is: 500_000n },
    { what: "one cent at a micro-credit a dollar", amount: 1n, of: "USD", at: 1n, is: 1n },
    { what: "99 cents at a micro-credit a dollar", amount: 99n, of: "USD", at: 1n, is: 1n },
    { what: "a dollar at a micro-credit a dollar", amount: 100n, of: "USD", at: 1n, is: 1n },
    { what: "a dollar and a cent at the same", amount: 101n, of: "USD", at: 1n, is: 2n },
    { what: "a third of a dollar, and a bit", amount: 33n, of: "USD", at: 333n, is: 110n },
    {
      what: "1,000 yen, which have no decimals",
      amount: 1_000n,
      of: "JPY",
      at: 333_333n,
      is: 333_333_000n,
    },
    { what: "one yen", amount: 1n, of: "JPY", at: 1n, is: 1n },
    {
      what: "a dinar of 1,000 fils",
      amount: 1_000n,
      of: "KWD",
      at: 160_000_001n,
      is: 160_000_001n,
    },
    { what: "one fils", amount: 1n, of: "KWD", at: 160_000_001n, is: 160_001n },
    {
      what: "the most there is",
      amount: MOST_CHARGED,
      of: "USD",
      at: 50_000_000n,
      is: 49_999_999_500_000n,
    },
  ])("$what: $amount of $of buys $is", ({ amount, of, at, is }) => {
    expect(creditsFor(amount, priceOf(of, at))).toBe(is);
  });

  test("rounded in the customer's favour, by less than one micro-credit", () => {
    fc.assert(
      fc.property(someAmount, somePrice, (amount, price) => {
        const credits = creditsFor(amount, price);
        const unit = minorUnitsOf(price.currency);
        const exact = amount * price.credits;
        expect(credits * unit >= exact).toBe(true);
        expect((credits - 1n) * unit < exact).toBe(true);
      }),
    );
  });

  test("never more in one payment than in the same money paid in parts", () => {
    fc.assert(
      fc.property(someAmount, someAmount, somePrice, (one, other, price) => {
        const parts = creditsFor(one, price) + creditsFor(other, price);
        const whole = creditsFor(one + other, price);
        expect(parts - whole === 0n || parts - whole === 1n).toBe(true);
      }),
    );
  });
});

describe("a balance below its threshold is lifted above it by one payment", () => {
  test.each([
    { what: "at the threshold, once", amount: 1000n, below: 0n, times: 1n },
    {
      what: "a micro-credit less than one amount below, once",
      amount: 1000n,
      below: 499_999_999n,
      times: 1n,
    },
    // One amount would only reach the threshold, and a balance at it is still low.
    { what: "one amount below, twice", amount: 1000n, below: 500_000_000n, times: 2n },
    {
      what: "a micro-credit less than two amounts below, twice",
      amount: 1000n,
      below: 999_999_999n,
      times: 2n,
    },
    { what: "two amounts below, three times", amount: 1000n, below: 1_000_000_000n, times: 3n },
    {
      what: "far below, as often as it takes",
      amount: 1000n,
      below: 499_999_999_999n,
      times: 1_000n,
    },
  ])("$what", ({ amount, below, times }) => {
    expect(timesToLift(amount, below, priceOf("USD", 50_000_000n))).toBe(times);
  });

  // One fils buys 3.334, two 6.668, three 10.002, four 13.336, each rounded up.
  test.each([
    { below: 3n, times: 1n },
    { below: 4n, times: 2n },
    { below: 6n, times: 2n },
    { below: 7n, times: 3n },
    { below: 10n, times: 3n },
    { below: 11n, times: 4n },
    { below: 13n, times: 4n },
    { below: 14n, times: 5n },
  ])("where a fils buys 3.334 micro-credits, $below below takes $times fils", (row) => {
    expect(timesToLift(1n, row.below, priceOf("KWD", 3_334n))).toBe(row.times);
  });

  test("by as few whole amounts as a search one by one finds", () => {
    const aFew = fc.bigInt(1n, 400n);
    fc.assert(
      fc.property(aFew, fc.bigInt(0n, 2_000n), aFew, someCurrency, (amount, below, credits, of) => {
        const price = priceOf(of, credits * minorUnitsOf(of) + (below % 7n));
        expect(timesToLift(amount, below, price)).toBe(triedOut(amount, below, price));
      }),
    );
  });

  test("however far below: the next smaller multiple would not do", () => {
    fc.assert(
      fc.property(someAmount, fc.bigInt(0n, 2n ** 63n), somePrice, (amount, below, price) => {
        const times = timesToLift(amount, below, price);
        expect(creditsFor(amount * times, price) > below).toBe(true);
        expect(times === 1n || creditsFor(amount * (times - 1n), price) <= below).toBe(true);
      }),
    );
  });
});

describe("the default amount", () => {
  test.each([
    { currency: "USD", amount: 1_000n },
    { currency: "EUR", amount: 1_000n },
    { currency: "JPY", amount: 1_000n },
    { currency: "KRW", amount: 1_000n },
    { currency: "KWD", amount: 10_000n },
    { currency: "BHD", amount: 10_000n },
  ])("in $currency is $amount of its minor unit", ({ currency, amount }) => {
    expect(usualTopUp({ currency, minimumCharge: 50n })).toBe(amount);
  });

  // Ten crowns are less than a gateway accepts.
  test.each([{ currency: "CZK", amount: 1_500n }])(
    "in $currency is the smallest charge, $amount",
    ({ currency, amount }) => {
      expect(usualTopUp({ currency, minimumCharge: amount })).toBe(amount);
    },
  );
});

const someCurrency = fc.constantFrom("USD", "JPY", "KWD");
const someAmount = fc.oneof(fc.bigInt(1n, 1_100n), fc.bigInt(1n, MOST_CHARGED));
const somePrice = fc
  .tuple(someCurrency, fc.oneof(fc.bigInt(1n, 1_000n), fc.bigInt(1n, 10n ** 12n)))
  .map(([currency, credits]) => priceOf(currency, credits));

function priceOf(currency: string, credits: bigint): CreditPrice {
  return { currency, validFrom: 0, credits, life: { kind: "usual" } };
}

function triedOut(amount: bigint, below: bigint, { currency, credits }: CreditPrice): bigint {
  let times = 1n;
  // Whole minor units on both sides: a part of a micro-credit counts as one.
  while (amount * times * credits <= below * minorUnitsOf(currency)) times += 1n;
  return times;
}

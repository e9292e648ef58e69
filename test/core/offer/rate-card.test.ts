/**
 * - an event is priced at the newest rate valid when it occurred
 * - price = quantity x credits / per, exactly, however large the numbers; what is left is carried along
 * - under the rates of former versions, a half is rounded up
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import {
  costOf,
  price,
  type Rate,
  rateAt,
  remainderAfter,
  toRateCard,
} from "../../../shared/core/offer/rate-card.ts";

describe("the rate of a meter", () => {
  const march = rate({ validFrom: Date.UTC(2026, 2, 1), credits: 10n });
  const may = rate({ validFrom: Date.UTC(2026, 4, 1), credits: 20n });
  const tokens = rate({ meter: "tokens", validFrom: Date.UTC(2026, 0, 1) });
  const card = toRateCard([may, tokens, march]);

  test.each([
    { at: "2026-02-28T23:59:59.999Z", is: "no_price" as const },
    { at: "2026-03-01T00:00:00Z", is: march },
    { at: "2026-04-30T23:59:59.999Z", is: march },
    { at: "2026-05-01T00:00:00Z", is: may },
    { at: "2036-01-01T00:00:00Z", is: may },
  ])("at $at is the newest one valid then", ({ at, is }) => {
    expect(rateAt(card, callAt(Date.parse(at)))).toEqual(is);
  });

  test("without a price is unknown", () => {
    const minute = { ...callAt(may.validFrom), meter: "minutes" };
    expect(rateAt(card, minute)).toBe("unknown_meter");
  });

  test("is found whatever the order in which rates were set", () => {
    const rates = fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { maxLength: 8 });
    fc.assert(
      fc.property(rates, fc.integer({ min: -60, max: 60 }), (starts, at) => {
        const card = toRateCard(starts.map((s) => rate({ validFrom: s })));
        const found = rateAt(card, callAt(at));
        const begun = starts.filter((start) => start <= at);
        if (starts.length === 0) expect(found).toBe("unknown_meter");
        else if (begun.length === 0) expect(found).toBe("no_price");
        else expect(found).toMatchObject({ validFrom: Math.max(...begun) });
      }),
    );
  });
});

describe("the price", () => {
  const quantities = fc.array(fc.bigInt({ min: 0n, max: MAX_BIGINT }), { maxLength: 30 });
  const terms = fc.bigInt({ min: 1n, max: MAX_BIGINT });

  test("of all events of a rate is within one micro-credit of the exact one, however they are cut", () => {
    fc.assert(
      fc.property(quantities, terms, terms, (all, credits, per) => {
        const carried = rate({ credits, per });
        let remainder = 0n;
        let drawn = 0n;
        let exact = 0n;
        for (const quantity of all) {
          const cost = price(carried, quantity, remainder);
          const { least, most } = costOf(carried, quantity);
          expect(cost >= least && cost <= most).toBe(true);
          remainder = remainderAfter(carried, quantity, cost, remainder);
          drawn += cost;
          exact += quantity * credits;
          expect(exact - drawn * per).toBe(remainder);
          expect(remainder >= 0n && remainder < per).toBe(true);
        }
      }),
    );
  });

  test.each([499n, 500n])(
    "of 1,000 events of %s bytes at 1 credit a GB is their exact price",
    (bytes) => {
      const gigabyte = rate({ credits: 1_000_000n, per: 1_000_000_000n });
      let remainder = 0n;
      let drawn = 0n;
      for (let event = 0; event < 1_000; event += 1) {
        const cost = price(gigabyte, bytes, remainder);
        remainder = remainderAfter(gigabyte, bytes, cost, remainder);
        drawn += cost;
      }
      expect([drawn, remainder]).toEqual([bytes, 0n]);
    },
  );
});

describe("the price under a rate of former versions", () => {
  test.each([
    { quantity: 0n, credits: 7n, per: 3n, is: 0n },
    { quantity: 1n, credits: 250n, per: 1n, is: 250n },
    { quantity: 1n, credits: 1n, per: 2n, is: 1n },
    { quantity: 3n, credits: 1n, per: 2n, is: 2n },
    { quantity: 1n, credits: 1n, per: 3n, is: 0n },
    { quantity: 2n, credits: 1n, per: 3n, is: 1n },
    { quantity: 499n, credits: 1n, per: 1000n, is: 0n },
    { quantity: 500n, credits: 1n, per: 1000n, is: 1n },
    { quantity: 1234n, credits: 2_000_000n, per: 1000n, is: 2_468_000n },
    { quantity: 5n, credits: 0n, per: 3n, is: 0n },
    { quantity: MAX_BIGINT, credits: 1n, per: 1n, is: MAX_BIGINT },
    { quantity: MAX_BIGINT, credits: MAX_BIGINT, per: MAX_BIGINT, is: MAX_BIGINT },
  ])("of $quantity at $credits per $per is $is", ({ quantity, credits, per, is }) => {
    expect(price(rate({ credits, per, roundsEach: true }), quantity)).toBe(is);
  });

  test("is the whole number nearest to the exact fraction, a half rounded up", () => {
    const amount = fc.bigInt({ min: 0n, max: MAX_BIGINT });
    const small = fc.bigInt({ min: 0n, max: 40n });
    const either = fc.oneof(small, amount);
    fc.assert(
      fc.property(either, either, fc.oneof(small, amount), (quantity, credits, units) => {
        const per = units === 0n ? 1n : units;
        // Twice the distance from the exact price, in parts of `per`: above -per, at most per.
        const distance =
          2n *
          (price(rate({ credits, per, roundsEach: true }), quantity) * per - quantity * credits);
        expect(distance > -per && distance <= per).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

function rate(given: Partial<Rate>): Rate {
  return { meter: "calls", validFrom: 0, credits: 1n, per: 1n, ...given };
}

function callAt(occurredAt: number) {
  return { meter: "calls", quantity: 1n, occurredAt, dimensions: {} };
}

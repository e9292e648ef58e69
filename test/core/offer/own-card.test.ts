/** What an account with own terms pays: which terms hold, and what they make of the list. */
import { describe, expect, test } from "vitest";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import { ownCard, ownPrice } from "../../../shared/core/offer/own-card.ts";
import type { OwnTerms } from "../../../shared/core/offer/own-terms.ts";
import {
  isOwnRate,
  type MeterVersion,
  price,
  rateAt,
  toRateCard,
} from "../../../shared/core/offer/rate-card.ts";
import { rateTable } from "../../../shared/core/offer/rate-table.ts";
import { cardOf, toRates } from "../../../shared/core/offer/rates.ts";
import { discountOf, ownRates } from "../../support/core/own-terms.ts";

const LIST: readonly MeterVersion[] = [
  { meter: "calls", validFrom: 10, credits: 3n, per: 7n },
  { meter: "calls", validFrom: 50, credits: 5n, per: 7n },
  rateTable(
    { meter: "tokens", validFrom: 0 },
    {
      dimensions: ["model"],
      rates: [
        { patterns: ["large"], credits: 9n, per: 2n },
        { patterns: ["small"], credits: 1n, per: 1n },
      ],
    },
  ),
];

describe("the price of a call", () => {
  const terms = [
    discountOf("acme", null, 0, 1_000),
    discountOf("acme", null, 30, 2_000),
    discountOf("acme", "calls", 40, 5_000),
    discountOf("acme", "calls", 60, 0),
    ownRates("acme", "calls", 70, { credits: 1n, per: 2n }),
  ];

  test.each([
    [5, "no_price"],
    [10, [27n, 70n]],
    [29, [27n, 70n]],
    [30, [12n, 35n]],
    [39, [12n, 35n]],
    [40, [3n, 14n]],
    [50, [5n, 14n]],
    [60, [5n, 7n]],
    [69, [5n, 7n]],
    [70, [7n, 14n]],
  ])("at %i", (occurredAt, expected) => {
    const rate = rateAt(ownCard(toRateCard(LIST), terms), usage("calls", { occurredAt }));
    expect(typeof rate === "string" ? rate : [rate.credits, rate.per]).toEqual(expected);
  });

  test("begins a version, with a remainder of its own, wherever the list or own terms do", () => {
    const versions = ownCard(toRateCard(LIST), terms).get("calls");
    expect(versions?.map(({ validFrom }) => validFrom)).toEqual([70, 60, 50, 40, 30, 10]);
  });
});

test("own rates come before the list's, and leave to it what they do not match", () => {
  const card = ownCard(toRateCard(LIST), [
    ownRates("acme", "tokens", 0, {
      dimensions: ["model", "kind"],
      rates: [
        { patterns: ["l*", "input"], band: { of: null, from: 10n }, credits: 2n, per: 1n },
        { patterns: ["l*", "input"], band: { of: null, from: 20n }, credits: 1n, per: 3n },
        { patterns: ["tiny", null], credits: 1n, per: 9n },
      ],
    }),
  ]);
  const paid = (quantity: bigint, dimensions: Record<string, string>) => {
    const rate = rateAt(card, usage("tokens", { quantity, dimensions }));
    return typeof rate === "string" ? rate : price(rate, quantity);
  };
  expect(paid(9n, { model: "large", kind: "input" })).toBe(40n);
  expect(paid(10n, { model: "large", kind: "input" })).toBe(20n);
  expect(paid(30n, { model: "larger", kind: "input" })).toBe(10n);
  expect(paid(10n, { model: "large" })).toBe(45n);
  expect(paid(9n, { model: "tiny" })).toBe(1n);
  expect(paid(9n, { model: "other" })).toBe("no_price");
});

test("before its first terms an account pays the list, and others always do", () => {
  const list = toRateCard(LIST);
  const rates = toRates(list, [discountOf("acme", null, 40, 100)]);
  expect(cardOf(rates, "bolt")).toBe(list);
  expect(cardOf(rates, "acme").get("calls")?.at(-1)).toBe(LIST[0]);
  expect(cardOf(rates, "acme").get("unheard-of")).toBeUndefined();
});

test("units that 64 bits do not hold are rounded event by event, and all but nothing may be free", () => {
  const list = [{ meter: "dear", validFrom: 0, credits: MAX_BIGINT, per: MAX_BIGINT }];
  const paid = (terms: OwnTerms, quantity: bigint) => {
    const rate = rateAt(ownCard(toRateCard(list), [terms]), usage("dear", { quantity }));
    return typeof rate === "string" ? rate : price(rate, quantity);
  };
  expect(paid(discountOf("acme", null, 0, 1), 5_000n)).toBe(5_000n);
  expect(paid(discountOf("acme", null, 0, 1), 5_001n)).toBe(5_000n);
  expect(paid(discountOf("acme", null, 0, 10_000), MAX_BIGINT)).toBe(0n);
});

test.each([
  [1_250, { credits: 2_500_000n, per: 1_000_000n }, { credits: 2_187_500n, per: 1_000_000n }],
  [1_250, { credits: 1n, per: 1_000_000n }, { credits: 7n, per: 8_000_000n }],
  [10_000, { credits: 5n, per: 3n }, { credits: 0n, per: 3n }],
  [0, { credits: 5n, per: 3n }, { credits: 5n, per: 3n }],
])(
  "%i basis points less are shown for the same units where that is whole",
  (discount, stated, shown) => {
    const list = toRateCard([{ meter: "calls", validFrom: 0, ...stated }]);
    const rate = rateAt(ownCard(list, [discountOf("acme", null, 0, discount)]), usage("calls"));
    expect(typeof rate !== "string" && isOwnRate(rate) && ownPrice(rate, stated)).toEqual(shown);
  },
);

function usage(
  meter: string,
  of: {
    readonly occurredAt?: number;
    readonly quantity?: bigint;
    readonly dimensions?: Record<string, string>;
  } = {},
) {
  return { meter, occurredAt: 0, quantity: 1n, dimensions: {}, ...of };
}

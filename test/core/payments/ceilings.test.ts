/**
 * The seller's ceilings of top-ups.
 *
 * - the account's own, the seller's defaults of the currency, or the usual ones
 * - they cut what a customer has set, at the moment of charging and in the rule of whole multiples
 * - whatever the customer sets and however low the balance is: no day and no month above them
 * - a customer's threshold is one that a single top-up can lift the balance above
 * - only the seller raises them; an auto top-up that waited for a limit is checked again
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AutoTopUp, amountsOf } from "../../../shared/core/payments/auto-top-up.ts";
import { ceilingsOf, DEFAULT_CEILINGS } from "../../../shared/core/payments/ceilings.ts";
import { type Ceilings, MOST_CHARGED } from "../../../shared/core/payments/charge-limits.ts";
import { decideAutoTopUp } from "../../../shared/core/payments/decide-top-up.ts";
import { refuseThreshold } from "../../../shared/core/payments/highest-threshold.ts";
import { decideCeilings } from "../../../shared/core/payments/set-ceilings.ts";
import { DAY, NOON } from "../../support/core/examples.ts";
import { autoWith, contextWith, lowAccount, priceOf } from "../../support/core/top-up-examples.ts";

const USD = { currency: "USD", minimumCharge: 50n, defaultCeilings: null };
/** Limits as a token could set them. */
const ABSURD = { limitPerDay: 9n * 10n ** 18n, limitPerMonth: 9n * 10n ** 18n };
const own = (given: Partial<AutoTopUp["ceilings"]>) => ({ ...DEFAULT_CEILINGS, ...given });

describe("the ceilings in force", () => {
  const defaults = { amount: 5_000n, perDay: 6_000n, perMonth: 7_000n };
  test.each<{ of: string; charged?: object; set?: Partial<AutoTopUp["ceilings"]>; is: Ceilings }>([
    { of: "dollars", is: { amount: 100_000n, perDay: 200_000n, perMonth: 1_000_000n } },
    {
      ...{ of: "yen", charged: { currency: "JPY" } },
      is: { amount: 100_000n, perDay: 200_000n, perMonth: 1_000_000n },
    },
    {
      ...{ of: "dinars", charged: { currency: "KWD" } },
      is: { amount: 1_000_000n, perDay: 2_000_000n, perMonth: 10_000_000n },
    },
    {
      ...{ of: "a currency with a minimum above the usual", charged: { minimumCharge: 17_500n } },
      is: { amount: 1_750_000n, perDay: 3_500_000n, perMonth: 17_500_000n },
    },
    { of: "the seller's defaults", charged: { defaultCeilings: defaults }, is: defaults },
    {
      ...{ of: "one of its own", charged: { defaultCeilings: defaults }, set: { perDay: 5_500n } },
      is: { ...defaults, perDay: 5_500n },
    },
    {
      of: "a day's of its own that is below the others' defaults",
      set: { perDay: 900n },
      is: { amount: 900n, perDay: 900n, perMonth: 1_000_000n },
    },
    {
      of: "a month's of its own that is below the others' defaults",
      set: { perMonth: 900n },
      is: { amount: 900n, perDay: 900n, perMonth: 900n },
    },
    {
      of: "more than is ever charged at once",
      set: { amount: 10n ** 10n, perDay: 10n ** 11n, perMonth: 10n ** 12n },
      is: { amount: MOST_CHARGED, perDay: 10n ** 11n, perMonth: 10n ** 12n },
    },
  ])("of $of", ({ charged, set = {}, is }) => {
    expect(ceilingsOf(own(set), { ...USD, ...charged })).toEqual(is);
  });
});

describe("what a customer has set above a ceiling is cut by it", () => {
  test("where it was set before the ceiling was lowered", () => {
    const before = { amount: 50_000n, limitPerDay: 150_000n, limitPerMonth: 700_000n };
    const ceilings = { amount: 20_000n, perDay: 30_000n, perMonth: 40_000n };
    expect(amountsOf(autoWith({ ...before, ceilings }), USD)).toEqual(ceilings);
  });

  test("in whole multiples: one charge is never more than the ceiling of one top-up", () => {
    const ceilings = own({ amount: 3_500n });
    const account = lowAccount(-(10n ** 9n));
    const { topUp } = decideAutoTopUp(0, contextWith({ account, auto: autoWith({ ceilings }) }));
    expect(topUp?.amount).toBe(3_000n);
  });

  test("and so are absurd limits: a debt without bound charges no more than a day's ceiling", () => {
    const auto = autoWith({ amount: MOST_CHARGED, ...ABSURD });
    const spent = { today: 150_000n, thisMonth: 150_000n };
    const account = lowAccount(-(10n ** 18n), 10n ** 18n);
    expect(decideAutoTopUp(0, contextWith({ account, auto })).topUp?.amount).toBe(100_000n);
    const { topUp, notices } = decideAutoTopUp(0, contextWith({ account, auto, spent }));
    expect(topUp).toBe(null);
    expect(notices).toMatchObject([
      {
        status: "paused",
        reason: "The seller's ceiling of USD 2000.00 for top-ups today is reached.",
      },
    ]);
  });

  test("whatever is set, no day and no month is charged more than its ceiling", () => {
    const money = fc.bigInt(1n, 10n ** 19n);
    const maybe = fc.option(money);
    const ceilings = fc.record({ amount: maybe, perDay: maybe, perMonth: maybe });
    fc.assert(
      fc.property(
        fc.record({ amount: maybe, limitPerDay: maybe, limitPerMonth: maybe, ceilings }),
        fc.bigInt(0n, 10n ** 18n),
        fc.bigInt(0n, 10n ** 18n),
        (set, debt, threshold) => {
          const auto = autoWith(set);
          const most = ceilingsOf(auto.ceilings, USD);
          let charged = 0n;
          for (let i = 0; i < 20; i++) {
            const spent = { today: charged, thisMonth: charged };
            const account = lowAccount(-debt, threshold);
            const { topUp } = decideAutoTopUp(0, contextWith({ account, auto, spent }));
            if (topUp === null) break;
            expect(topUp.amount).toBeLessThanOrEqual(most.amount);
            charged += topUp.amount;
          }
          expect(charged).toBeLessThanOrEqual(most.perDay);
          expect(charged).toBeLessThanOrEqual(most.perMonth);
        },
      ),
    );
  });
});

describe("a customer's threshold", () => {
  // A dollar buys 100 micro-credits.
  const price = priceOf("USD", 100n);
  const most = { amount: 1_000n, perDay: 2_000n, perMonth: 3_000n };

  test.each([
    { threshold: 999n, refused: false },
    { threshold: 1_000n, refused: true },
    { threshold: 9n * 10n ** 18n, refused: true },
    { threshold: 5_000n, before: 5_001n, refused: false },
    { threshold: 5_000n, before: 4_999n, refused: true },
  ])("$threshold after $before: refused $refused", ({ threshold, before = 0n, refused }) => {
    expect(refuseThreshold(threshold, before, most, price)).toEqual(
      refused ? { kind: "threshold_too_high", most: 999n, amount: 1_000n, currency: "USD" } : null,
    );
  });

  test("is free where credits cannot be bought", () => {
    expect(refuseThreshold(9n * 10n ** 18n, 0n, most, null)).toBe(null);
  });

  test("that is allowed is one that a top-up lifts an empty account above", () => {
    fc.assert(
      fc.property(fc.bigInt(1n, 2_000n), fc.bigInt(50n, 2_000n), (threshold, amount) => {
        const ceilings = { amount, perDay: amount, perMonth: amount };
        if (refuseThreshold(threshold, 0n, ceilings, price) !== null) return;
        const auto = autoWith({ amount, ...ABSURD, ceilings });
        const account = lowAccount(0n, threshold);
        const { topUp } = decideAutoTopUp(0, contextWith({ account, auto }));
        expect(topUp?.credits).toBeGreaterThan(threshold);
      }),
    );
  });
});

describe("the seller sets ceilings", () => {
  const set = (given: object, before: AutoTopUp = autoWith()) =>
    decideCeilings(given, before, { ...USD, now: NOON });

  test("those that are given; null sets the default", () => {
    const before = autoWith({ ceilings: { amount: 500n, perDay: 600n, perMonth: 700n } });
    expect(set({ perDay: null, perMonth: 900n }, before)).toMatchObject({
      auto: { ceilings: { amount: 500n, perDay: null, perMonth: 900n } },
    });
  });

  test.each([
    { given: { amount: 49n }, says: { kind: "below_minimum", least: 50n, currency: "USD" } },
    { given: { perDay: 0n }, says: { kind: "below_minimum", least: 50n, currency: "USD" } },
    { given: { perMonth: -1n }, says: { kind: "below_minimum", least: 50n, currency: "USD" } },
    {
      given: { amount: MOST_CHARGED + 1n },
      says: { kind: "above_maximum", most: MOST_CHARGED, currency: "USD" },
    },
  ])("not $given", ({ given, says }) => {
    expect(set(given)).toEqual(says);
  });

  const tomorrow = NOON + DAY;
  test.each<{ which: string; before: Partial<AutoTopUp>; lookAt: number | null }>([
    { which: "waits for a limit", before: { pausedUntil: tomorrow }, lookAt: NOON },
    {
      which: "waits for a declined card",
      before: { pausedUntil: tomorrow, lookAt: tomorrow, declines: 1 },
      lookAt: tomorrow,
    },
    { which: "is stopped", before: { stopped: "No card." }, lookAt: null },
    { which: "is off", before: { enabled: false }, lookAt: null },
  ])("an auto top-up that $which is checked at $lookAt", ({ before, lookAt }) => {
    expect(set({ perDay: 900_000n }, autoWith(before))).toMatchObject({ auto: { lookAt } });
  });
});

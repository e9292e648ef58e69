/**
 * A top-up by hand.
 *
 * - exactly the requested amount, or a refusal that says what would be accepted
 * - within what gateways accept, within the limits of the day and the month, one at a time
 * - its identity is the key it was requested under
 * - made regardless of whether auto top-up is off, paused or stopped, and whether the account is low
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import { REFERENCE } from "../../../shared/core/line/reference.ts";
import { EMPTY_CATALOGUE } from "../../../shared/core/offer/catalogue.ts";
import { MOST_CHARGED } from "../../../shared/core/payments/charge-limits.ts";
import {
  decideManualTopUp,
  type TopUpContext,
} from "../../../shared/core/payments/decide-top-up.ts";
import { DAY, NOON } from "../../support/core/examples.ts";
import {
  autoWith,
  contextWith,
  lowAccount,
  priceOf,
  selling,
} from "../../support/core/top-up-examples.ts";

const USUAL_CEILING = { ceiling: 100_000n, currency: "USD" };
const VAST = { amount: 10n ** 9n, perDay: 10n ** 9n, perMonth: 10n ** 9n };
const OF_THE_DAY = { kind: "above_limit", per: "day", byCeiling: false, currency: "USD" };
const BY_CEILING = { ...OF_THE_DAY, byCeiling: true };

const paymentId = REFERENCE.manualTopUp.write({ key: "order 7" });

describe("a top-up by hand", () => {
  test("is pending, of exactly the requested amount, and is published", () => {
    const told = { amount: 1_234n, currency: "USD", credits: 1_234n };
    expect(decideManualTopUp({ paymentId, amount: 1_234n }, contextWith())).toEqual({
      kind: "pending",
      topUp: { paymentId: "manual:order 7", ...told, life: { kind: "usual" }, reason: "" },
      notices: [{ topUpId: "manual:order 7", status: "pending", ...told, reason: "" }],
    });
  });

  test("buys credits at the current price, rounded up", () => {
    const later = { ...priceOf("USD", 333n, NOON), life: { kind: "never" } } as const;
    const catalogue = selling([priceOf("USD", 100n), later]);
    expect(decideManualTopUp({ paymentId, amount: 50n }, contextWith({ catalogue }))).toMatchObject(
      { topUp: { amount: 50n, credits: 167n, life: { kind: "never" } } },
    );
  });

  test.each<{ where: string; given: Partial<TopUpContext> }>([
    { where: "auto top-up is off", given: { auto: autoWith({ enabled: false }) } },
    { where: "auto top-up is stopped", given: { auto: autoWith({ stopped: "No card." }) } },
    { where: "auto top-up is paused", given: { auto: autoWith({ pausedUntil: NOON + DAY }) } },
    { where: "the account is not low", given: { account: lowAccount(5_000n) } },
    { where: "the account is far in debt", given: { account: lowAccount(-50_000n) } },
  ])("is also made where $where", ({ given }) => {
    const decision = decideManualTopUp({ paymentId, amount: 50n }, contextWith(given));
    expect(decision).toMatchObject({ kind: "pending", topUp: { amount: 50n } });
  });
});

describe("a top-up by hand is refused", () => {
  const left = { today: 9_000n, thisMonth: 9_000n };
  test.each<{ when: string; amount: bigint; given?: Partial<TopUpContext>; says: object }>([
    {
      when: "of nothing",
      amount: 0n,
      says: { kind: "below_minimum", least: 50n, currency: "USD" },
    },
    {
      when: "of less than nothing",
      amount: -1n,
      says: { kind: "below_minimum", least: 50n, currency: "USD" },
    },
    {
      when: "below what gateways take",
      amount: 49n,
      says: { kind: "below_minimum", least: 50n, currency: "USD" },
    },
    {
      when: "of nothing in a currency with no known minimum",
      amount: 0n,
      given: { currency: "KWD", minimumCharge: 1n },
      says: { kind: "below_minimum", least: 1n, currency: "KWD" },
    },
    {
      when: "above the seller's ceiling, however high the customer's limits are",
      amount: 100_001n,
      given: { auto: autoWith({ limitPerDay: 10n ** 9n, limitPerMonth: 10n ** 9n }) },
      says: { kind: "above_ceiling", per: "top_up", asked: 100_001n, ...USUAL_CEILING },
    },
    {
      when: "above what gateways take, where the ceiling is higher",
      amount: MOST_CHARGED + 1n,
      given: { auto: autoWith({ ceilings: VAST }) },
      says: {
        ...{ kind: "above_ceiling", per: "top_up", asked: MOST_CHARGED + 1n },
        ...{ ceiling: MOST_CHARGED, currency: "USD" },
      },
    },
    {
      when: "above what the seller's ceiling of a day leaves",
      amount: 40_001n,
      given: {
        auto: autoWith({ limitPerDay: 10n ** 9n, limitPerMonth: 10n ** 9n }),
        spent: { today: 160_000n, thisMonth: 160_000n },
      },
      says: { ...BY_CEILING, per: "day", left: 40_000n, limit: 200_000n },
    },
    {
      when: "above what the seller's ceiling of a month leaves",
      amount: 50n,
      given: {
        auto: autoWith({ limitPerDay: 10n ** 9n, limitPerMonth: 10n ** 9n }),
        spent: { today: 0n, thisMonth: 1_000_000n },
      },
      says: { ...BY_CEILING, per: "month", left: 0n, limit: 1_000_000n },
    },
    {
      when: "without a payment method",
      amount: 50n,
      given: { hasMethod: false },
      says: { kind: "no_payment_method" },
    },
    {
      when: "while another is pending",
      amount: 50n,
      given: { inFlight: true },
      says: { kind: "top_up_pending" },
    },
    {
      when: "above the day's limit",
      amount: 1_001n,
      given: { spent: left },
      says: { ...OF_THE_DAY, left: 1_000n, limit: 10_000n },
    },
    {
      when: "above the month's limit",
      amount: 701n,
      given: { spent: { today: 0n, thisMonth: 49_300n } },
      says: { ...OF_THE_DAY, per: "month", left: 700n, limit: 50_000n },
    },
    {
      when: "where a limit is passed already",
      amount: 50n,
      given: { spent: { today: 12_000n, thisMonth: 12_000n } },
      says: { ...OF_THE_DAY, left: 0n, limit: 10_000n },
    },
    {
      when: "above a limit of the customer's own",
      amount: 1_001n,
      given: { auto: autoWith({ limitPerDay: 1_000n }) },
      says: { ...OF_THE_DAY, left: 1_000n, limit: 1_000n },
    },
    {
      when: "where credits have no price",
      amount: 50n,
      given: { catalogue: EMPTY_CATALOGUE },
      says: { kind: "no_credit_price", currency: "USD" },
    },
    {
      when: "where the price is yet to come",
      amount: 50n,
      given: { catalogue: selling([priceOf("USD", 100n, NOON + 1)]) },
      says: { kind: "no_credit_price", currency: "USD" },
    },
    {
      when: "of more credits than the line holds",
      amount: 51n,
      given: { account: { ...lowAccount(0n), granted: MAX_BIGINT - 50n } },
      says: { kind: "overflow", most: 50n },
    },
  ])("$when", ({ amount, given, says }) => {
    expect(decideManualTopUp({ paymentId, amount }, contextWith(given))).toEqual(says);
  });

  test.each<{ edge: string; amount: bigint; given?: Partial<TopUpContext> }>([
    { edge: "the least that is taken", amount: 50n },
    { edge: "all that the day's limit leaves", amount: 1_000n, given: { spent: left } },
    {
      edge: "all that the month's limit leaves",
      amount: 700n,
      given: { spent: { today: 0n, thisMonth: 49_300n } },
    },
    {
      edge: "the most that is taken",
      amount: MOST_CHARGED,
      given: {
        auto: autoWith({ limitPerDay: 10n ** 9n, limitPerMonth: 10n ** 9n, ceilings: VAST }),
      },
    },
    {
      edge: "the seller's ceiling",
      amount: 100_000n,
      given: { auto: autoWith({ limitPerDay: 10n ** 9n, limitPerMonth: 10n ** 9n }) },
    },
    {
      edge: "all that the line holds",
      amount: 50n,
      given: { account: { ...lowAccount(0n), granted: MAX_BIGINT - 50n } },
    },
  ])("but not at the limit: $edge", ({ amount, given }) => {
    expect(decideManualTopUp({ paymentId, amount }, contextWith(given)).kind).toBe("pending");
  });

  test("or is made within all limits, for any amount", () => {
    const money = fc.bigInt(-10n, 60_000n);
    fc.assert(
      fc.property(
        money,
        fc.bigInt(0n, 12_000n),
        fc.bigInt(0n, 60_000n),
        (amount, today, before) => {
          const spent = { today, thisMonth: today + before };
          const decision = decideManualTopUp({ paymentId, amount }, contextWith({ spent }));
          const fits = amount >= 50n && today + amount <= 10_000n;
          const fitsMonth = spent.thisMonth + amount <= 50_000n;
          expect(decision.kind === "pending").toBe(fits && fitsMonth);
        },
      ),
    );
  });
});

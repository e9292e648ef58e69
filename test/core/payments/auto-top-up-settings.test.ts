/**
 * - settings that are given change, the others are kept; null sets the default
 * - what is charged each time lies within what gateways take and within the limits
 * - a change counts as acting: a pause or stop of auto top-up is over, and the account is checked
 *   immediately
 */
import { describe, expect, test } from "vitest";
import {
  type AutoTopUp,
  decideAutoTopUpSettings,
  startAgain,
  type TopUpSettings,
  UNTOUCHED_AUTO_TOP_UP,
} from "../../../shared/core/payments/auto-top-up.ts";
import { DAY, NOON } from "../../support/core/examples.ts";
import { autoWith } from "../../support/core/top-up-examples.ts";

const OWN = { amount: 700n, limitPerDay: 1_400n, limitPerMonth: 2_100n };
const CHARGED = { minimumCharge: 50n, defaultCeilings: null };
const ACTED = { declines: 0, pausedUntil: null, stopped: null, lookAt: NOON };

test("auto top-up is on by default", () => {
  expect(UNTOUCHED_AUTO_TOP_UP).toMatchObject({ enabled: true, stopped: null, pausedUntil: null });
});

describe("settings", () => {
  test.each<{ asked: Partial<TopUpSettings>; before: Partial<AutoTopUp>; after: object }>([
    { asked: { enabled: false }, before: OWN, after: { ...OWN, enabled: false } },
    { asked: { enabled: true }, before: { enabled: false }, after: { enabled: true } },
    { asked: { amount: 900n }, before: OWN, after: { ...OWN, amount: 900n } },
    { asked: { limitPerDay: 700n }, before: OWN, after: { ...OWN, limitPerDay: 700n } },
    { asked: { limitPerMonth: null }, before: OWN, after: { ...OWN, limitPerMonth: null } },
    { asked: {}, before: OWN, after: OWN },
  ])("$asked change only what is given", ({ asked, before, after }) => {
    const auto = { ...autoWith(), ...ACTED, ...after };
    expect(set(asked, autoWith(before))).toEqual({ kind: "set", auto });
  });

  test("restart auto top-up that was paused or stopped; the number of published notices is kept", () => {
    const halted = autoWith({
      declines: 4,
      pausedUntil: NOON + DAY,
      stopped: "No.",
      published: 9n,
    });
    expect(set({ enabled: true }, halted)).toEqual({
      kind: "set",
      auto: { ...autoWith({ published: 9n }), ...ACTED },
    });
    expect(startAgain(halted, NOON)).toEqual({ ...autoWith({ published: 9n }), ...ACTED });
  });
});

describe("settings are refused", () => {
  test.each<{ when: string; asked: Partial<TopUpSettings>; currency?: string; says: object }>([
    {
      when: "below what gateways take",
      asked: { amount: 49n },
      says: { kind: "below_minimum", least: 50n },
    },
    { when: "of nothing", asked: { amount: 0n }, says: { kind: "below_minimum", least: 50n } },
    { when: "below nothing", asked: { amount: -5n }, says: { kind: "below_minimum", least: 50n } },
    {
      when: "below what they take in yen",
      asked: { amount: 49n },
      currency: "JPY",
      says: { kind: "below_minimum", least: 50n },
    },
    {
      when: "above the seller's ceiling of one top-up",
      asked: { amount: 100_001n },
      says: { kind: "above_ceiling", per: "top_up", asked: 100_001n, ceiling: 100_000n },
    },
    {
      when: "above the seller's ceiling of a day",
      asked: { limitPerDay: 9n * 10n ** 18n },
      says: { kind: "above_ceiling", per: "day", asked: 9n * 10n ** 18n, ceiling: 200_000n },
    },
    {
      when: "above the seller's ceiling of a month",
      asked: { limitPerMonth: 1_000_001n },
      says: { kind: "above_ceiling", per: "month", asked: 1_000_001n, ceiling: 1_000_000n },
    },
    {
      when: "above its ceiling in yen",
      asked: { amount: 100_001n },
      currency: "JPY",
      says: { kind: "above_ceiling", per: "top_up", asked: 100_001n, ceiling: 100_000n },
    },
    {
      when: "with less a day than each time",
      asked: { amount: 800n, limitPerDay: 799n },
      says: { kind: "limit_below_amount", per: "day", amount: 800n, limit: 799n },
    },
    {
      when: "with less a day than the usual amount",
      asked: { limitPerDay: 999n },
      says: { kind: "limit_below_amount", per: "day", amount: 1_000n, limit: 999n },
    },
    {
      when: "with less a month than each time",
      asked: { amount: 800n, limitPerMonth: 799n },
      says: { kind: "limit_below_amount", per: "month", amount: 800n, limit: 799n },
    },
    {
      when: "with nothing a day",
      asked: { limitPerDay: 0n },
      says: { kind: "limit_below_amount", per: "day", amount: 1_000n, limit: 0n },
    },
    {
      when: "with less than nothing a month",
      asked: { limitPerMonth: -1n },
      says: { kind: "limit_below_amount", per: "month", amount: 1_000n, limit: -1n },
    },
  ])("$when: $asked", ({ asked, currency, says }) => {
    expect(set(asked, autoWith(), currency)).toEqual({ ...says, currency: currency ?? "USD" });
  });

  test("where an existing one contradicts a given one", () => {
    expect(set({ amount: 1_401n }, autoWith(OWN))).toEqual({
      ...{ kind: "limit_below_amount", per: "day", amount: 1_401n, limit: 1_400n, currency: "USD" },
    });
    expect(set({ amount: null }, autoWith({ limitPerDay: 700n, amount: 700n }))).toEqual({
      ...{ kind: "limit_below_amount", per: "day", amount: 1_000n, limit: 700n, currency: "USD" },
    });
  });

  test.each<Partial<TopUpSettings>>([
    { amount: 50n, limitPerDay: 50n, limitPerMonth: 50n },
    { amount: 100_000n, limitPerDay: 200_000n, limitPerMonth: 1_000_000n },
    { amount: null, limitPerDay: 1_000n, limitPerMonth: 1_000n },
  ])("but not at the limit: %o", (asked) => {
    expect(set(asked, autoWith()).kind).toBe("set");
  });
});

function set(asked: Partial<TopUpSettings>, before: AutoTopUp, currency = "USD") {
  return decideAutoTopUpSettings(asked, before, { currency, ...CHARGED, now: NOON });
}

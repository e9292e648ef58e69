/**
 * - what is unspent of a lot is withdrawn from its end; lots behind it move up unchanged
 * - never more than remains
 * - a promotion that ends before older lots are used is withdrawn too
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withdraw } from "../../../shared/core/line/credit-line.ts";
import { lotOf } from "../../support/core/examples.ts";
import { openPlay } from "../month/account-in-play.ts";

const DAY = "2026-01-10T00:00";

/** 100 each of old, promo and new, and `used` drawn. */
function threeLots(used: bigint, threshold?: bigint) {
  const acme = openPlay(threshold === undefined ? {} : { threshold });
  for (const lotId of ["old", "promo", "new"]) acme.grant("2026-01-01T00:00", lotId, 100n);
  acme.use("2026-01-02T00:00", used);
  return acme;
}

describe("a withdrawal", () => {
  test.each([
    { used: 0n, of: "promo", credits: null, left: { old: 100n, new: 100n } },
    { used: 0n, of: "promo", credits: 30n, left: { old: 100n, promo: 70n, new: 100n } },
    { used: 0n, of: "old", credits: 100n, left: { promo: 100n, new: 100n } },
    { used: 40n, of: "old", credits: null, left: { promo: 100n, new: 100n } },
    { used: 40n, of: "old", credits: 59n, left: { old: 1n, promo: 100n, new: 100n } },
    { used: 120n, of: "promo", credits: 80n, left: { new: 100n } },
    { used: 0n, of: "new", credits: 1n, left: { old: 100n, promo: 100n, new: 99n } },
  ])("of $credits of lot $of, $used used, leaves $left", ({ used, of, credits, left }) => {
    const acme = threeLots(used);
    expect(acme.withdraw(DAY, of, credits)).toBe("withdrawn");
    expect(acme.left()).toEqual(left);
    expect(acme.account().position).toBe(used);
  });

  test("is an adjustment with its reason", () => {
    const acme = threeLots(40n);
    acme.withdraw(DAY, "promo", 30n);
    expect(acme.entries.at(-1)).toEqual({
      accountId: "acme",
      sequence: 4n,
      kind: "adjustment",
      credits: -30n,
      granted: 270n,
      position: 40n,
      lotId: "promo",
      reference: "ticket 7",
      dueAt: Date.parse(`${DAY}Z`),
    });
  });

  test.each([
    { used: 0n, of: "none", credits: 1n, kind: "unknown_lot" },
    { used: 0n, of: "old", credits: 0n, kind: "no_credits" },
    { used: 0n, of: "old", credits: -1n, kind: "no_credits" },
    { used: 0n, of: "old", credits: 101n, kind: "exceeds_remaining" },
    { used: 60n, of: "old", credits: 41n, kind: "exceeds_remaining" },
    { used: 100n, of: "old", credits: 1n, kind: "exceeds_remaining" },
    { used: 100n, of: "old", credits: null, kind: "exceeds_remaining" },
  ])("of $credits of lot $of, $used used, is refused: $kind", ({ used, of, credits, kind }) => {
    const acme = threeLots(used);
    const [before, entries] = [acme.account(), acme.entries.length];
    expect(acme.withdraw(DAY, of, credits)).toBe(kind);
    expect([acme.account(), acme.entries.length]).toEqual([before, entries]);
  });

  test("publishes a low balance when it crosses the threshold", () => {
    const acme = threeLots(50n, 100n);
    acme.withdraw(DAY, "promo", null);
    expect(acme.lowBalances).toEqual([]);
    acme.withdraw(DAY, "new", 50n);
    expect(acme.lowBalances).toMatchObject([{ balance: 100n, cause: "entry:5" }]);
  });

  test("of all of a lot leaves nothing to expire", () => {
    const acme = openPlay();
    acme.grant("2026-01-01T00:00", "gift", 10n);
    acme.withdraw(DAY, "gift", null);
    expect(acme.account().nextDueAt).toBe(null);
  });

  test("in part leaves the rest to expire", () => {
    const acme = openPlay();
    acme.grant("2026-01-01T00:00", "gift", 10n);
    acme.withdraw(DAY, "gift", 4n);
    acme.settle("2026-03-01T00:15");
    expect(acme.story().at(-1)).toBe("2026-03-01T00:00Z -6 expiry:gift");
  });
});

test("a promotion that ends before older lots are used is cut out", () => {
  const acme = openPlay();
  acme.grant("2026-01-01T00:00", "old", 100n);
  acme.grant("2026-01-01T00:00", "promo", 50n, { kind: "at", at: Date.parse("2026-01-05T00:00Z") });
  acme.grant("2026-01-01T00:00", "new", 100n);
  acme.use("2026-01-02T00:00", 30n);
  acme.settle("2026-01-06T00:00");
  expect(acme.left()).toEqual({ old: 70n, new: 100n });
  acme.use("2026-01-07T00:00", 80n);
  expect(acme.left()).toEqual({ new: 90n });
});

test("in parts equals the whole in one", () => {
  const lots = [lotOf("a", 0n, 10n), lotOf("b", 10n, 30n), lotOf("c", 30n, 35n)];
  fc.assert(
    fc.property(fc.bigInt(0n, 20n), fc.bigInt(0n, 20n), (one, both) => {
      if (one >= both) return;
      const [, lot = lotOf("b", 10n, 30n)] = lots;
      const line = { granted: 35n, position: 3n };
      const once = withdraw(line, lots, lot, both);
      const first = withdraw(line, lots, lot, one);
      const now = lots.map((old) => first.moved.find(({ lotId }) => lotId === old.lotId) ?? old);
      const again = withdraw(first.line, now, first.moved[0] ?? lot, both - one);
      expect(again).toEqual(once);
    }),
  );
});

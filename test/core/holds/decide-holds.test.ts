import { describe, expect, test } from "vitest";
import type { BudgetLimit } from "../../../shared/core/budgets/limit.ts";
import {
  decideHolds,
  type HoldingAccount,
  type HoldRequest,
} from "../../../shared/core/holds/decide-holds.ts";
import type { Hold } from "../../../shared/core/holds/hold.ts";
import { UNLIMITED } from "../../../shared/core/line/overdraft.ts";
import type { Dimensions } from "../../../shared/core/offer/value-tree.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { accountWith, lotOf, MINUTE, NOON } from "../../support/core/examples.ts";

const asked = (
  holdId: string,
  credits: bigint,
  given: { partial?: boolean; request?: string; dimensions?: Dimensions } = {},
) =>
  ({
    ...{ kind: "hold", holdId, credits, partial: false, request: `of ${credits}` },
    ...{ ttlMs: 10 * MINUTE, dimensions: null, by: "key:1", ...given },
  }) satisfies HoldRequest;

function holdWith(given: Partial<Hold> = {}): Hold {
  return {
    ...{
      accountId: toAccountId("acme"),
      holdId: "run",
      request: "of 60",
      asked: 60n,
      credits: 60n,
    },
    ...{ used: 0n, captured: null, status: "open", dimensions: null, requestedBy: "key:1" },
    ...{ createdAt: NOON - MINUTE, expiresAt: NOON + MINUTE, endedAt: null },
    ...given,
  };
}

/** An account with 100 credits on its line. */
function holding(holds: readonly Hold[] = [], held = 0n, given: Partial<HoldingAccount> = {}) {
  const account = accountWith({ granted: 100n, held });
  return { account, lots: [], holds, limits: [], ...given };
}

const kindsOf = ({ decisions }: ReturnType<typeof decideHolds>) =>
  decisions.map(({ kind }) => kind);

describe("an overdraft", () => {
  const overdrawn = (overdraft: bigint, requests: readonly HoldRequest[], held = 0n) =>
    decideHolds(
      holding([], held, { account: accountWith({ granted: 100n, held, overdraft }) }),
      requests,
      NOON,
    );

  test("is what holds may go below zero by", () => {
    const { decisions, held } = overdrawn(50n, [
      asked("a", 120n),
      asked("b", 31n),
      asked("c", 30n),
    ]);
    expect(decisions).toMatchObject([
      { kind: "held" },
      { kind: "insufficient_credits", asked: 31n, available: -20n, most: 30n },
      { kind: "held" },
    ]);
    expect(held).toBe(150n);
  });

  test("counts where a part is allowed", () => {
    const { decisions } = overdrawn(50n, [asked("a", 200n, { partial: true })]);
    expect(decisions).toMatchObject([{ kind: "held", hold: { credits: 150n } }]);
  });

  test("without a limit gives any amount, and no more in all than fits into 64 bits", () => {
    const most = UNLIMITED - 10n;
    const { decisions, held } = overdrawn(UNLIMITED, [asked("a", most), asked("b", 11n)]);
    expect([kindsOf({ decisions } as ReturnType<typeof decideHolds>), held]).toEqual([
      ["held", "insufficient_credits"],
      most,
    ]);
  });

  test("of none is zero: no hold of what there is not", () => {
    expect(kindsOf(overdrawn(0n, [asked("a", 101n), asked("b", 100n)]))).toEqual([
      "insufficient_credits",
      "held",
    ]);
  });
});

describe("a hold is given", () => {
  test("of what is available, each of less than the one before", () => {
    const { decisions, held, changes } = decideHolds(
      holding(),
      [asked("a", 60n), asked("b", 41n), asked("c", 40n), asked("d", 1n)],
      NOON,
    );
    expect(decisions).toMatchObject([
      { kind: "held", hold: { holdId: "a", credits: 60n, expiresAt: NOON + 10 * MINUTE } },
      { kind: "insufficient_credits", asked: 41n, available: 40n },
      { kind: "held", hold: { holdId: "c" } },
      { kind: "insufficient_credits", available: 0n },
    ]);
    expect([held, changes.map(({ holdId }) => holdId)]).toEqual([100n, ["a", "c"]]);
  });

  test("in part where that is allowed, and not at all where nothing is available", () => {
    const partly = [asked("a", 130n, { partial: true }), asked("b", 1n, { partial: true })];
    const { decisions, held } = decideHolds(holding(), partly, NOON);
    expect(decisions).toMatchObject([
      { kind: "held", hold: { asked: 130n, credits: 100n } },
      { kind: "insufficient_credits", asked: 1n, available: 0n },
    ]);
    expect(held).toBe(100n);
  });

  test("of no credits never", () => {
    const none = decideHolds(holding(), [asked("a", 0n), asked("b", -1n)], NOON);
    expect([kindsOf(none), none.held]).toEqual([["no_credits", "no_credits"], 0n]);
  });

  test("not of what a lot has left that has ended", () => {
    const account = accountWith({ granted: 100n, position: 10n });
    const lots = [lotOf("old", 0n, 70n, NOON), lotOf("new", 70n, 100n)];
    const given = decideHolds(
      { account, lots, holds: [], limits: [] },
      [asked("a", 31n), asked("b", 30n)],
      NOON,
    );
    expect(kindsOf(given)).toEqual(["insufficient_credits", "held"]);
  });

  test("once under its id: asked again it is the same, asked for otherwise a conflict", () => {
    const first = decideHolds(holding(), [asked("run", 60n), asked("run", 60n)], NOON);
    expect([kindsOf(first), first.held, first.changes.length]).toEqual([["held", "held"], 60n, 1]);
    const later = holding([holdWith({ status: "released", endedAt: NOON })]);
    expect(
      decideHolds(later, [asked("run", 60n), asked("run", 61n)], NOON).decisions,
    ).toMatchObject([
      { kind: "held", hold: { status: "released" } },
      { kind: "hold_exists", credits: 60n },
    ]);
  });
});

describe("a hold whose time is over", () => {
  test("ends before anything is decided, at the instant of its end", () => {
    const over = holdWith({ expiresAt: NOON, used: 20n });
    const { decisions, changes, held } = decideHolds(
      holding([over], 40n),
      [asked("b", 100n)],
      NOON,
    );
    expect(changes).toMatchObject([
      { holdId: "run", status: "expired", endedAt: NOON },
      { holdId: "b", status: "open" },
    ]);
    expect([decisions[0]?.kind, held]).toEqual(["held", 100n]);
  });

  test("stays captured where it was, and what no usage has used is back", () => {
    const over = holdWith({ status: "captured", captured: 50n, used: 20n, expiresAt: NOON - 1 });
    const { changes, held } = decideHolds(holding([over], 30n), [], NOON);
    expect(changes).toMatchObject([{ status: "captured", endedAt: NOON - 1 }]);
    expect(held).toBe(0n);
  });

  test("is not over a millisecond before", () => {
    const { changes, held } = decideHolds(holding([holdWith()], 60n), [], NOON + MINUTE - 1);
    expect([changes, held]).toEqual([[], 60n]);
  });
});

const OPEN = holdWith({ used: 20n });
const CAPTURED = holdWith({ used: 20n, status: "captured", captured: 50n });
const RELEASED = holdWith({ status: "released", endedAt: NOON - 1 });
const EXPIRED = holdWith({ status: "expired", endedAt: NOON - 1 });

const capture = (credits: bigint): HoldRequest => ({ kind: "capture", holdId: "run", credits });
const RELEASE: HoldRequest = { kind: "release", holdId: "run" };
const extend = (ttlMs: number): HoldRequest => ({ kind: "extend", holdId: "run", ttlMs });

describe("of a hold of 60, of which usage has used 20,", () => {
  test.each<[string, Hold, HoldRequest, Partial<Hold> | string, held: bigint]>([
    [
      "a capture keeps what is not used yet",
      OPEN,
      capture(50n),
      { captured: 50n, endedAt: null },
      30n,
    ],
    ["a capture of all keeps all", OPEN, capture(60n), { captured: 60n, endedAt: null }, 40n],
    ["a capture of what is used ends it", OPEN, capture(20n), { captured: 20n, endedAt: NOON }, 0n],
    ["a capture of nothing ends it", OPEN, capture(0n), { captured: 0n, endedAt: NOON }, 0n],
    ["a capture of more is refused", OPEN, capture(61n), "exceeds_hold", 40n],
    ["a capture twice changes nothing", CAPTURED, capture(50n), { captured: 50n }, 30n],
    ["another capture is refused", CAPTURED, capture(51n), "hold_captured", 30n],
    ["a release gives the rest back", OPEN, RELEASE, { status: "released", endedAt: NOON }, 0n],
    ["a release after capture is refused", CAPTURED, RELEASE, "hold_captured", 30n],
    ["a longer time is given", OPEN, extend(5 * MINUTE), { expiresAt: NOON + 5 * MINUTE }, 40n],
    ["a shorter time changes nothing", OPEN, extend(1_000), { expiresAt: NOON + MINUTE }, 40n],
    ["no time is given after capture", CAPTURED, extend(5 * MINUTE), "hold_captured", 30n],
  ])("%s", (_, hold, request, expected, held) => {
    const before = hold === OPEN ? 40n : 30n;
    const after = decideHolds(holding([hold], before), [request], NOON);
    const [decision] = after.decisions;
    if (typeof expected === "string") expect(decision?.kind).toBe(expected);
    else expect(decision).toMatchObject({ kind: "held", hold: expected });
    expect(after.held).toBe(held);
  });
});

describe("a hold that has ended", () => {
  test.each<[Hold, HoldRequest, string]>([
    [RELEASED, RELEASE, "held"],
    [RELEASED, capture(10n), "hold_ended"],
    [RELEASED, extend(MINUTE), "hold_ended"],
    [EXPIRED, RELEASE, "hold_ended"],
    [EXPIRED, capture(10n), "hold_ended"],
    [EXPIRED, extend(MINUTE), "hold_ended"],
  ])("%#: stays as it is", (hold, request, kind) => {
    const after = decideHolds(holding([hold]), [request], NOON);
    expect([kindsOf(after), after.changes, after.held]).toEqual([[kind], [], 0n]);
  });

  test("of another account is unknown", () => {
    expect(kindsOf(decideHolds(holding(), [RELEASE], NOON))).toEqual(["unknown_hold"]);
  });
});

describe("a budget of a value that is named", () => {
  const limit = (given: Partial<BudgetLimit> = {}): BudgetLimit => ({
    ...{ dimension: "team", window: "day", value: "a", credits: 50n, spent: 10n, held: 0n },
    ...{ endsAt: NOON + MINUTE, ...given },
  });
  const team = (value: string) => ({ dimensions: { team: value, user: "u" } });

  test("limits holds as the account does, and the tightest of all says no", () => {
    const limits = [limit(), limit({ dimension: "user", value: "u", window: "all", credits: 75n })];
    const { decisions, held } = decideHolds(
      holding([], 0n, { limits }),
      [
        asked("a", 41n, team("a")),
        asked("b", 40n, team("a")),
        asked("c", 1n, team("a")),
        asked("d", 26n, team("b")),
        asked("e", 25n, team("b")),
        asked("f", 36n),
        asked("g", 35n),
      ],
      NOON,
    );
    const day = { dimension: "team", window: "day", value: "a", turnsAt: NOON + MINUTE };
    expect(decisions).toMatchObject([
      { kind: "budget_used_up", ...day, asked: 41n, left: 40n },
      { kind: "held", hold: { credits: 40n } },
      { kind: "budget_used_up", ...day, asked: 1n, left: 0n },
      { kind: "budget_used_up", dimension: "user", window: "all", asked: 26n, left: 25n },
      { kind: "held" },
      { kind: "insufficient_credits", asked: 36n, available: 35n },
      { kind: "held" },
    ]);
    expect(held).toBe(100n);
  });

  test("gives a part where that is allowed, and nothing where more was used than it allows", () => {
    const part = { ...team("a"), partial: true };
    const given = decideHolds(
      holding([], 0n, { limits: [limit()] }),
      [asked("a", 60n, part)],
      NOON,
    );
    expect(given.decisions).toMatchObject([{ kind: "held", hold: { asked: 60n, credits: 40n } }]);
    const limits = [limit({ spent: 51n })];
    const none = decideHolds(holding([], 0n, { limits }), [asked("a", 1n, part)], NOON);
    expect(none.decisions).toMatchObject([{ kind: "budget_used_up", left: -1n }]);
  });

  test("has back what a hold set aside that is over, released or captured for less", () => {
    const over = holdWith({ holdId: "over", expiresAt: NOON, ...team("a") });
    const open = holdWith({ holdId: "open", credits: 30n, asked: 30n, ...team("a") });
    const limits = [limit({ credits: 100n, spent: 0n, held: 90n })];
    const { decisions } = decideHolds(
      holding([over, open], 90n, { limits }),
      [
        asked("a", 71n, team("a")),
        { kind: "capture", holdId: "open", credits: 5n },
        asked("b", 95n, team("a")),
        { kind: "release", holdId: "b" },
        asked("c", 96n, team("a")),
      ],
      NOON,
    );
    expect(decisions).toMatchObject([
      { kind: "insufficient_credits", available: 70n },
      { kind: "held" },
      { kind: "held" },
      { kind: "held" },
      { kind: "insufficient_credits", available: 95n },
    ]);
  });
});

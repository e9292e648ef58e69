import { describe, expect, test } from "vitest";
import { type Hold, heldBy } from "../../../shared/core/holds/hold.ts";
import { takeUsage } from "../../../shared/core/holds/take-usage.ts";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { NOON } from "../../support/core/examples.ts";

/** What usage that names a hold makes of it. */
const OPEN: Hold = {
  ...{ accountId: toAccountId("acme"), holdId: "run", request: "00", asked: 60n, credits: 60n },
  ...{ used: 0n, captured: null, status: "open", dimensions: null, requestedBy: "test" },
  ...{ createdAt: NOON - 1, expiresAt: NOON + 1, endedAt: null },
};
const CAPTURED: Hold = { ...OPEN, status: "captured", captured: 50n };

const taken = (hold: Hold, credits: bigint, held = 100n) =>
  takeUsage({ held }, [{ hold, credits }], NOON);

test("usage takes its credits from the hold, and the account holds so much less", () => {
  const { changes, held, used } = taken(OPEN, 25n);
  expect([changes, held, used]).toEqual([[{ ...OPEN, used: 25n }], 75n, ["run"]]);
});

test("what exceeds the hold is drawn all the same: the hold sets nothing aside, and stays open", () => {
  const { changes, held } = taken(OPEN, 61n);
  expect([changes, held]).toEqual([[{ ...OPEN, used: 61n }], 40n]);
  const more = taken({ ...OPEN, used: 61n }, 5n, 40n);
  expect([more.changes, more.held]).toEqual([[{ ...OPEN, used: 66n }], 40n]);
});

test("a captured hold takes usage under way, and ends when its final amount is used up", () => {
  expect(taken(CAPTURED, 49n)).toMatchObject({
    changes: [{ used: 49n, endedAt: null }],
    held: 51n,
  });
  const last = taken({ ...CAPTURED, used: 49n }, 4n, 1n);
  expect(last).toMatchObject({ changes: [{ used: 53n, endedAt: NOON }], held: 0n, used: ["run"] });
});

describe("takes nothing from a hold", () => {
  test.each<[string, Hold]>([
    ["that was released", { ...OPEN, status: "released", endedAt: NOON - 1 }],
    ["that ran out of time", { ...OPEN, status: "expired", endedAt: NOON - 1 }],
    ["that was captured and used up", { ...CAPTURED, used: 50n, endedAt: NOON - 1 }],
  ])("%s", (_, hold) => {
    expect(taken(hold, 5n)).toEqual({ changes: [], held: 100n, used: [] });
  });

  test("whose time is over, though nobody has ended it: that is done first", () => {
    const over: Hold = { ...OPEN, used: 10n, expiresAt: NOON };
    expect(taken(over, 5n)).toEqual({
      changes: [{ ...over, status: "expired", endedAt: NOON }],
      ...{ held: 50n, used: [] },
    });
  });
});

test("usage that costs nothing changes nothing, and the hold has taken it", () => {
  expect(taken(OPEN, 0n)).toEqual({ changes: [], held: 100n, used: ["run"] });
});

test("the largest amounts stay within 64 bits", () => {
  const { changes } = taken({ ...OPEN, used: MAX_BIGINT - 1n }, MAX_BIGINT, 0n);
  expect(changes[0]?.used).toBe(MAX_BIGINT);
});

test("several holds are used one after the other", () => {
  const other = { ...OPEN, holdId: "other" };
  const uses = [
    { hold: OPEN, credits: 10n },
    { hold: other, credits: 70n },
  ];
  const { changes, held, used } = takeUsage({ held: 120n }, uses, NOON);
  expect(changes.reduce((sum, hold) => sum + heldBy(hold), 0n)).toBe(held);
  expect([held, used]).toEqual([50n, ["run", "other"]]);
});

import { expect, test } from "vitest";
import { budgetsOfUsage, type KnownBudgets } from "../../shared/client/known-budgets.ts";

const TURN = 1_000;
const value = { credits: 10n, spent: 4n, spent_ahead: 1n, held: 2n };
const team: KnownBudgets = {
  ...{ dimension: "team", window: "day", ends_at: TURN, next_ends_at: 2 * TURN },
  ...{ credits: 20n, values: [{ value: "a", ...value }] },
};

const leftOf = (budgets: readonly KnownBudgets[], dimensions: Record<string, string>, now = 0) =>
  budgetsOfUsage(budgets, dimensions, now).tightest?.left;

test.each([
  { now: TURN - 1, left: 4n, spent: "what is spent" },
  { now: TURN, left: 7n, spent: "what is spent ahead of it" },
  { now: 2 * TURN, left: 8n, spent: "nothing" },
])("at $now of a window that ends at 1000, and the next one at 2000, $spent counts", (row) => {
  expect(leftOf([team], { team: "a" }, row.now)).toBe(row.left);
});

test("a window that never turns stays", () => {
  const always = { ...team, window: "all", ends_at: null, next_ends_at: null };
  expect(leftOf([always], { team: "a" }, 10 * TURN)).toBe(4n);
});

test("the budget with least left is the tightest, in whatever order they come", () => {
  const user = { ...team, dimension: "user", credits: 3n, values: [] };
  for (const budgets of [
    [team, user],
    [user, team],
  ]) {
    expect(leftOf(budgets, { team: "a", user: "u" })).toBe(3n);
    expect(leftOf(budgets, { team: "a" })).toBe(4n);
  }
});

test("a value that has neither spent nor held has the budget of every value, if there is one", () => {
  expect(leftOf([team], { team: "b" })).toBe(20n);
  expect(leftOf([{ ...team, credits: null }], { team: "b" })).toBeUndefined();
});

test("an empty value, one that is too long for a budget, and other dimensions have none", () => {
  for (const dimensions of [{ team: "" }, { team: "x".repeat(257) }, { user: "a" }]) {
    expect(budgetsOfUsage([team], dimensions, 0)).toEqual({ tightest: null, areKnown: true });
  }
});

test("what was not published is not known, but of usage without dimensions", () => {
  const tooMany = { ...team, values: null };
  expect(budgetsOfUsage([tooMany], { team: "a" }, 0).areKnown).toBe(false);
  expect(budgetsOfUsage([tooMany], { user: "a" }, 0).areKnown).toBe(true);
  expect(budgetsOfUsage([team, { ...tooMany, window: "month" }], { team: "a" }, 0)).toMatchObject({
    ...{ areKnown: false, tightest: { left: 4n } },
  });
  expect(budgetsOfUsage(null, { team: "a" }, 0).areKnown).toBe(false);
  expect(budgetsOfUsage(null, {}, 0).areKnown).toBe(true);
});

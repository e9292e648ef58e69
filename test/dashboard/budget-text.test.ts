import { describe, expect, test } from "vitest";
import {
  budgetName,
  fullText,
  spentText,
  turnText,
} from "../../services/dashboard/text/budget-text.ts";
import type { BudgetData } from "../../shared/contract/budget.ts";

const NOON = Date.UTC(2026, 10, 30, 12);

const BUDGET: BudgetData = {
  ...{ dimension: "team", value: "search", window: "month", is_default: false },
  ...{ credits: "1000000", spent: "800000", held: "0", left: "200000" },
  ...{ starts_at: "2026-11-01T00:00:00.000Z", ends_at: "2026-12-01T00:00:00.000Z" },
  ...{ counted_since: "2026-11-01T00:00:00.000Z", set_by: "test" },
  set_at: "2026-11-05T00:00:00.000Z",
};

describe("a budget", () => {
  test("says whose it is, what is spent, and until when", () => {
    expect(budgetName(BUDGET)).toBe("team search, this month");
    expect(spentText(BUDGET)).toBe("0.8 of 1 credits");
    expect(fullText(BUDGET)).toBe("80%");
    expect(turnText(BUDGET, "UTC", NOON)).toBe("until 1 December, 00:00");
  });

  test("counts what open holds set aside", () => {
    const holding = { ...BUDGET, held: "100000", left: "100000" };
    expect(spentText(holding)).toBe("0.8 of 1 credits, 0.1 set aside");
    expect(fullText(holding)).toBe("90%");
  });

  test("is used up at zero, and says by how much more was used", () => {
    expect(fullText({ ...BUDGET, spent: "1000000", left: "0" })).toBe("used up");
    expect(fullText({ ...BUDGET, spent: "1500000", left: "-500000" })).toBe("over by 0.5");
    expect(fullText({ ...BUDGET, credits: "0", spent: "0", left: "0" })).toBe("used up");
  });

  test("of all time never turns", () => {
    const ever = { ...BUDGET, window: "all", ends_at: null } as const;
    expect(budgetName(ever)).toBe("team search, in all");
    expect(turnText(ever, "UTC", NOON)).toBe("");
  });
});

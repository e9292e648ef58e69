import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "Late usage counts against the budget of today.",
  promise: "What is spent of a budget is the usage of its window.",
  edits: [
    {
      file: "shared/core/usage/budget-spend.ts",
      search: "windowAt(window, occurredAt, timeZone)",
      replacement: "windowAt(window, Date.now(), timeZone)",
    },
  ],
  caughtBy: { file: "test/ledger/budgets/budgets.test.ts", test: "what is counted" },
};

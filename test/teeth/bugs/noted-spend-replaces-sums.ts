import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "What was noted of a budget's values replaces what they had spent before.",
  promise: "What is spent of a budget is the usage of its window.",
  edits: [
    {
      file: "shared/ledger/books/sum-noted-spend.ts",
      search: "SET spent = spend.spent + excluded.spent",
      replacement: "SET spent = excluded.spent",
    },
  ],
  caughtBy: { file: "test/ledger/budgets/budgets.test.ts", test: "what was noted" },
};

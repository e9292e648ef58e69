import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "A pending top-up does not count towards the limits of the day and the month.",
  promise: "Limits of top-ups hold.",
  edits: [
    {
      file: "shared/ledger/payments/payments.ts",
      search: "status IN ('pending', 'succeeded')",
      replacement: "status = 'succeeded'",
    },
    {
      file: "shared/ledger/payments/auto-top-up-state.ts",
      search: "status IN ('pending', 'succeeded')",
      replacement: "status = 'succeeded'",
    },
  ],
  caughtBy: {
    file: "test/ledger/payments/top-up-limits.test.ts",
    test: "count a top-up from when it is pending",
  },
};

import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "Usage draws before what fell due earlier is posted.",
  promise: "The books do not depend on when the scheduler runs.",
  edits: [
    {
      file: "shared/core/usage/meter-usage.ts",
      search: `    settleBefore(book, event, context, lowBalances);
`,
      replacement: "",
    },
  ],
  caughtBy: { file: "test/core/usage/meter-usage-histories.test.ts" },
};

import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "Usage beyond its hold takes the rest from what other holds have set aside.",
  promise: "What is held is the sum of what is open.",
  edits: [
    {
      file: "shared/core/holds/take-usage.ts",
      search: "held += heldBy(after) - heldBy(hold);",
      replacement: "held -= credits;",
    },
  ],
  caughtBy: { file: "test/core/holds/take-usage.test.ts" },
};

import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "Usage that arrives after its lot's expiry was posted gets nothing of it back.",
  promise: "Late usage is not dearer.",
  edits: [
    {
      file: "shared/core/usage/meter-usage.ts",
      search: "return giveBackTo(book, event, credits);",
      replacement: "return 0n;",
    },
  ],
  caughtBy: { file: "test/core/usage/meter-usage-histories.test.ts" },
};

import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "A subscription whose fee failed gets its credits all the same.",
  promise: "A fee that is given up suspends the subscription.",
  edits: [
    {
      file: "shared/core/month/turn-of-month.ts",
      search: `  if (withheld !== null) return withhold(before, subscription, next, withheld);
`,
      replacement: "",
    },
  ],
  caughtBy: { file: "test/core/month/suspension.test.ts" },
};

import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "What is left of a micro-credit is not carried to the next event.",
  promise: "The sum drawn is within a micro-credit of the exact price.",
  edits: [
    {
      file: "shared/core/usage/carried.ts",
      search: "carries(rate) ? amountOf(carried, versionOf(rate)) : 0n",
      replacement: "0n",
    },
  ],
  caughtBy: { file: "test/core/usage/meter-usage.test.ts" },
};

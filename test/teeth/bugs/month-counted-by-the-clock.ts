import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "Usage counts in one month whenever it occurred.",
  promise: "A month's usage costs what its tiers say, however late it comes.",
  edits: [
    {
      file: "shared/core/offer/month-price.ts",
      search: "Date.UTC(day.getUTCFullYear(), day.getUTCMonth());",
      replacement: "Date.UTC(day.getUTCFullYear(), 0);",
    },
  ],
  caughtBy: { file: "test/core/offer/month-price.test.ts" },
};

import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "Every event below the threshold says low balance again.",
  promise: "A low balance is said once for each crossing.",
  edits: [
    {
      file: "shared/core/line/low-balance.ts",
      search: "return !account.lowBalance && balanceOf",
      replacement: "return balanceOf",
    },
  ],
  caughtBy: { file: "test/core/line/low-balance.test.ts" },
};

import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "On the fast path of plain events a balance falls below the threshold unsaid.",
  promise: "A low balance is said once for each crossing.",
  edits: [
    {
      file: "shared/core/usage/draw-columns.ts",
      search: `    if (mayCross(account) && balanceOf({ granted, position }) <= threshold) return false;
`,
      replacement: "",
    },
  ],
  caughtBy: { file: "test/core/usage/meter-columns.test.ts" },
};

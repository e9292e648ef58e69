import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "An expiry also takes what was used of the lot, a second time.",
  promise: "Every credit is used or expires once.",
  edits: [
    {
      file: "shared/core/line/credit-line.ts",
      search: "line: drawDown(line, expired), expired",
      replacement: "line: drawDown(line, lot.end - lot.start), expired",
    },
  ],
  caughtBy: { file: "test/core/line/credit-line.test.ts" },
};

import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks:
    "A turn's expiry is posted before the turn, and says a low balance that its credits cure.",
  promise: "The books do not depend on when the scheduler runs.",
  edits: [
    {
      file: "shared/core/month/settle.ts",
      search: "waiting.at + GRACE_MS < turn.at ? waiting : turn",
      replacement: "waiting.at <= turn.at ? waiting : turn",
    },
  ],
  caughtBy: { file: "test/core/month/month-histories.test.ts" },
};

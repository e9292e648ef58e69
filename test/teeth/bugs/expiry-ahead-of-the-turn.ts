import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "After a downtime expiries are posted ahead of the turn at the same instant.",
  promise: "The books do not depend on when the scheduler runs.",
  edits: [
    {
      file: "shared/core/month/settle.ts",
      search: "waiting.at + GRACE_MS < turn.at ? waiting : turn",
      replacement: "waiting.at <= turn.at ? waiting : turn",
    },
  ],
  caughtBy: { file: "test/ledger/month/scheduler.test.ts", test: "of three months of downtime" },
};

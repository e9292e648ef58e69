import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "Credits expire by the clock, although usage from before is still unread.",
  promise: "Credits expire only once the usage before is complete.",
  edits: [
    {
      file: "shared/core/month/expiry.ts",
      search: "usage: completeUntil ?? Number.NEGATIVE_INFINITY, completeUntil",
      replacement: "usage: clock, completeUntil",
    },
  ],
  caughtBy: {
    file: "test/ledger/month/scheduler.test.ts",
    test: "wait for the grace, and then until usage is complete",
  },
};

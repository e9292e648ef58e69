import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "The scheduler waits for accounts that metering has locked, and does its work again.",
  promise: "Metering and the scheduler do not hold each other up.",
  edits: [
    {
      file: "shared/ledger/month/settle-accounts.ts",
      search: "FOR NO KEY UPDATE SKIP LOCKED`",
      replacement: "FOR NO KEY UPDATE`",
    },
  ],
  caughtBy: {
    file: "test/ledger/month/scheduler.test.ts",
    test: "the scheduler skips what metering is settling",
  },
};

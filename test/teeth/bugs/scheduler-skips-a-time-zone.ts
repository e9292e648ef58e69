import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "The scheduler passes over zones whose name has three parts or a hyphen.",
  promise: "Months come to the day in every time zone.",
  edits: [
    {
      file: "shared/ledger/month/settle-accounts.ts",
      search: `  WHERE settle_at <= to_timestamp($1 / 1000.0)
`,
      replacement: `  WHERE time_zone ~ '^([A-Za-z]+/)?[A-Za-z_]+$'
    AND settle_at <= to_timestamp($1 / 1000.0)
`,
    },
  ],
  caughtBy: {
    file: "test/ledger/month/scheduler.test.ts",
    test: "come in every time zone that there is",
  },
};

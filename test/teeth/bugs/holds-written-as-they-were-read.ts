import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "What is held is written as it was read, over a hold that was made or ended meanwhile.",
  promise: "What is held is the sum of what open holds set aside, always.",
  edits: [
    {
      file: "shared/ledger/books/update-accounts.ts",
      search: `"account.hold_changes = moved.hold_changes"`,
      replacement: `"true"`,
    },
    {
      file: "shared/ledger/books/update-accounts.ts",
      search: "old.hold_changes <> moved.hold_changes AS is_other",
      replacement: "false AS is_other",
    },
  ],
  caughtBy: {
    file: "test/ledger/holds/usage-of-holds.test.ts",
    test: "made",
  },
};

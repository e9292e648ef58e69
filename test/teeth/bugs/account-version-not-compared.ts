import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "An account is written as it was read, over a grant that came meanwhile.",
  promise: "Usage and credits at the same time lose nothing.",
  edits: [
    {
      file: "shared/ledger/books/update-accounts.ts",
      search: `"1 / (account.version = moved.version)::integer = 1"`,
      replacement: `"true"`,
    },
  ],
  caughtBy: {
    file: "test/ledger/books/update-accounts.test.ts",
    test: "and that moved meanwhile, fails the batch",
  },
};

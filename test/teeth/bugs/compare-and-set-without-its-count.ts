import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "An account that had moved is left out of the update, and nobody counts.",
  promise: "Usage and credits at the same time lose nothing.",
  edits: [
    {
      file: "shared/ledger/books/update-accounts.ts",
      search: `"1 / (account.version = moved.version)::integer = 1"`,
      replacement: `"account.version = moved.version"`,
    },
    {
      file: "shared/ledger/books/update-accounts.ts",
      search: "return rowCount === accounts.length ? [] : null;",
      replacement: "return rowCount === null ? null : [];",
    },
  ],
  caughtBy: {
    file: "test/ledger/books/update-accounts.test.ts",
    test: "and that moved meanwhile, fails the batch",
  },
};

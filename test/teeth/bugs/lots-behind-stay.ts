import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "A withdrawal leaves the lots behind it where they were.",
  promise: "The lots' remainders sum to the balance.",
  edits: [
    {
      file: "shared/core/changes/withdraw-lot.ts",
      search: "withMoved(book.lots, moved)",
      replacement: "book.lots",
    },
  ],
  caughtBy: { file: "test/core/changes/withdraw-lot.test.ts" },
};

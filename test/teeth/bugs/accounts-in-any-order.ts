import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks:
    "Accounts are locked in the order in which their events came, so that two batches deadlock.",
  promise: "Whoever moves several accounts moves them in id order.",
  edits: [
    {
      file: "shared/ledger/books/update-accounts.ts",
      search: ".sort((a, b) => (a.accountId < b.accountId ? -1 : 1))",
      replacement: "",
    },
  ],
  caughtBy: { file: "test/ledger/books/update-accounts.test.ts", test: "are locked in id order" },
};

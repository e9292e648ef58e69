import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "The check of what remains of the lots passes over accounts in debt.",
  promise: "Each kind of fault planted in the books is found.",
  edits: [
    {
      file: "shared/ledger/proof/invariants/line.ts",
      search: "<> greatest(0, granted - position)`",
      replacement: "< greatest(0, granted - position)`",
    },
  ],
  caughtBy: { file: "test/reconcile/faults.test.ts" },
};

import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "Reconciling misses ranges of unpublished records, but not a single one.",
  promise: "A lost record is named by reconciling.",
  edits: [
    {
      file: "shared/reconcile/seen-sequences.ts",
      search: "if (gap.from <= gap.to)",
      replacement: "if (gap.from < gap.to)",
    },
  ],
  caughtBy: { file: "test/reconcile/seen-sequences.test.ts" },
};

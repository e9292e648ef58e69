import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "A batch that begins beyond the books' offset is metered, and what lies between is lost.",
  promise: "Usage is metered exactly once.",
  edits: [
    {
      file: "shared/ledger/usage/exactly-once.ts",
      search: `  if (run.fetchedFrom > nextOffset) return { kind: "gap", nextOffset };
`,
      replacement: "",
    },
  ],
  caughtBy: {
    file: "test/ledger/usage/racing.test.ts",
    test: "those already read or ahead of the books move nothing",
  },
};

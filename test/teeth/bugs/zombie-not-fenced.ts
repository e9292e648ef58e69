import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "A consumer that lost its partition meters its batch again, and sets the offset back.",
  promise: "A consumer that has lost its partition meters nothing.",
  edits: [
    {
      file: "shared/ledger/usage/exactly-once.ts",
      search: `  if (run.nextOffset <= nextOffset) return { kind: "read_before", nextOffset };
`,
      replacement: "",
    },
  ],
  caughtBy: {
    file: "test/ledger/usage/racing.test.ts",
    test: "those already read or ahead of the books move nothing",
  },
};

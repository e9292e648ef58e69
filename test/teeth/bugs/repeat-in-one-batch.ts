import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "An event that comes twice in a batch is drawn twice.",
  promise: "Usage is metered exactly once.",
  edits: [
    {
      file: "shared/core/usage/events-in-batch.ts",
      search: `  batch.recorded.set(identityOf(event), event);
`,
      replacement: "",
    },
  ],
  caughtBy: { file: "test/core/usage/meter-usage.test.ts" },
};

import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "Usage counts as complete up to when the ends were answered, not asked for.",
  promise: "Credits expire only once the usage before is complete.",
  edits: [
    {
      file: "services/metering/watch-usage-complete.ts",
      search: `  const at = Date.now();
  const ends = await readAllEnds(admin);
`,
      replacement: `  const ends = await readAllEnds(admin);
  const at = Date.now();
`,
    },
  ],
  caughtBy: {
    file: "test/pipeline/usage-complete.test.ts",
    test: "counts from before the ends were requested",
  },
};

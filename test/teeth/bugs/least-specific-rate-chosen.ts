import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "A rate that leaves a dimension open is chosen before one that names its value.",
  promise: "Of rates by dimensions the most specific one prices an event.",
  edits: [
    {
      file: "shared/core/offer/value-tree.ts",
      search: "  const value = valueAt(values, name);\n",
      replacement: `  const widest = tree.open === null ? null : choose(tree.open, names, values, depth + 1);
  if (widest !== null) return widest;
  const value = valueAt(values, name);
`,
    },
  ],
  caughtBy: { file: "test/core/offer/rate-choice.test.ts" },
};

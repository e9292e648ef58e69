import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "The same id with another quantity is dropped as a repeat.",
  promise: "What cannot be metered is kept with its reason.",
  edits: [
    {
      file: "shared/core/usage/usage-event.ts",
      search: `    a.quantity === b.quantity &&
`,
      replacement: "",
    },
  ],
  caughtBy: { file: "test/core/usage/meter-usage.test.ts" },
};

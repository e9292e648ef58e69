import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "Holds that are decided on together each get what the budget leaves.",
  promise: "No hold is given beyond what a budget leaves.",
  edits: [
    {
      file: "shared/core/holds/decide-holds.ts",
      search: "    limits = holdMore(limits, hold.dimensions, more);\n",
      replacement: "    holdMore(limits, hold.dimensions, more);\n",
    },
  ],
  caughtBy: { file: "test/core/holds/decide-holds.test.ts" },
};

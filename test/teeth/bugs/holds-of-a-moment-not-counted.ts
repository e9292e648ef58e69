import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "Holds that are decided on together do not count against each other.",
  promise: "Credits are set aside once.",
  edits: [
    {
      file: "shared/core/holds/decide-holds.ts",
      search: "    held += more;\n",
      replacement: "",
    },
  ],
  caughtBy: { file: "test/core/holds/decide-holds.test.ts" },
};

import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "A service whose consumer has ended goes on with the work beside it.",
  promise: "A crashed consumer ends its process.",
  edits: [
    {
      file: "shared/kafka/consume/run-reader.ts",
      search: "await Promise.race([reader.ended, background]);",
      replacement: "await background;",
    },
  ],
  caughtBy: { file: "test/kafka/consume/run-reader.test.ts" },
};

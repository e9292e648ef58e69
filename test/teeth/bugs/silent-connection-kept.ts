import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "A connection to Kafka that has gone silent is kept, and every try is sent on it.",
  promise: "Services work again by themselves after connections go silent.",
  edits: [
    {
      file: "shared/kafka/patches/drop-silent.ts",
      search: `      timeoutHandler();
      drop();
`,
      replacement: `      timeoutHandler();
`,
    },
  ],
  caughtBy: {
    file: "test/kafka/patches/drop-silent.test.ts",
    test: "ours connects anew after the first one",
  },
};

import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "When Kafka refuses one record, the search for it skips another.",
  promise: "A refused record holds up no other.",
  edits: [
    {
      file: "shared/kafka/publish/publish-each.ts",
      search: "items.slice(half), toMessage",
      replacement: "items.slice(half + 1), toMessage",
    },
  ],
  caughtBy: {
    file: "test/kafka/publish/publishing.test.ts",
    test: "a record refused by its schema or by Kafka",
  },
};

import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "A consumer stays where it is when the offsets in the books go back.",
  promise: "After a failover to a server that was behind, usage comes back without a restart.",
  edits: [
    {
      file: "shared/kafka/consume/partition-reader.ts",
      search: "offset === undefined || offset >= read",
      replacement: "offset === undefined || offset <= read",
    },
  ],
  caughtBy: { file: "test/kafka/consume/batch-consumer.test.ts" },
};

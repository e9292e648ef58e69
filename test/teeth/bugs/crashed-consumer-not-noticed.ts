import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "KafkaJS gives the consumer up, and nobody hears of it.",
  promise: "A crashed consumer ends its process.",
  edits: [
    {
      file: "shared/kafka/consume/partition-reader.ts",
      search: "if (!payload.restart) this.#fail(payload.error);",
      replacement: "",
    },
  ],
  caughtBy: {
    file: "test/kafka/consume/batch-consumer.test.ts",
    test: "a consumer that KafkaJS gives up has ended",
  },
};

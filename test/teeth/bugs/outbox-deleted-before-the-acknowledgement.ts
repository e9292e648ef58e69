import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "Records are deleted from the outbox while they are still on their way to Kafka.",
  promise: "What the outbox holds reaches its topic, also after a kill.",
  edits: [
    {
      file: "shared/kafka/publish/outbox-relay.ts",
      search: "  const refused = await publishEach(publisher, records, (record) => ({",
      replacement: `  const refused: { item: OutboxRecord; why: string }[] = [];
  void publishEach(publisher, records, (record) => ({`,
    },
  ],
  caughtBy: {
    file: "test/kafka/publish/publishing.test.ts",
    test: "records that Kafka has without the books knowing",
  },
};

import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "Usage over HTTP is answered before Kafka has it.",
  promise: "Usage over HTTP is in Kafka before it is answered.",
  edits: [
    {
      file: "services/api/ingest/delivery.ts",
      search: "await Promise.race([publish(events, bytes), late.promise])",
      replacement: "await Promise.race([publish(events, bytes), true])",
    },
  ],
  caughtBy: { file: "test/api/ingest.test.ts", test: "a request is told to retry" },
};

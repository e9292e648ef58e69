import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "Usage over HTTP is answered before Kafka has it.",
  promise: "Usage over HTTP is in Kafka before it is answered.",
  edits: [
    {
      file: "services/api/ingest/delivery.ts",
      search: `publish(events, bytes, traceparent),
          late.promise,`,
      replacement: `publish(events, bytes, traceparent),
          true,`,
    },
  ],
  caughtBy: { file: "test/api/ingest.test.ts", test: "a request is told to retry" },
};

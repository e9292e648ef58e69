import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks:
    "The transaction of a relay that hangs is never ended, and nothing is published any more.",
  promise: "A process that hangs holds up no other.",
  edits: [
    {
      file: "shared/ledger/postgres/database.ts",
      search: `  "idle_in_transaction_session_timeout=10000",
`,
      replacement: "",
    },
  ],
  caughtBy: {
    file: "test/kafka/publish/publishing.test.ts",
    test: "a relay that hangs is cut off by Postgres",
  },
};

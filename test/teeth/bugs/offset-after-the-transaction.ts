import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "The offset is written once the batch is committed, in a transaction of its own.",
  promise: "Usage is metered exactly once.",
  edits: [
    {
      file: "shared/ledger/usage/exactly-once.ts",
      search: `      batch.onStep?.("commit");
`,
      replacement: `      const { reader, runs } = batch;
      for (const { partition, nextOffset } of runs) await raiseOffset(database, reader, partition, nextOffset);
      batch.onStep?.("commit");
`,
    },
    {
      file: "shared/ledger/usage/exactly-once.ts",
      search: `    advanceOffsets(transaction, reader, advances),
`,
      replacement: "",
    },
    {
      file: "shared/ledger/usage/exactly-once.ts",
      search: "import { advanceOffsets, lockOffsets }",
      replacement: "import { lockOffsets, raiseOffset }",
    },
  ],
  caughtBy: { file: "test/ledger/usage/unknown-outcome.test.ts" },
};

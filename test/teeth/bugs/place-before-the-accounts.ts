import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "The place among low balances is stored before the accounts are looked at.",
  promise: "Each crossing brings one charge, through a kill at every step.",
  edits: [
    {
      file: "services/top-up/follow-low-balances.ts",
      search: "    await forEachConcurrently(",
      replacement: `    await waits.untilUp("Postgres", () =>
      raiseOffset(database, LOW_BALANCE_READER, partition, nextOffset),
    );
    await forEachConcurrently(`,
    },
  ],
  caughtBy: { file: "test/top-up/follow-low-balances.test.ts" },
};

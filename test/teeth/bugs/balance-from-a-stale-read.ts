import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks:
    "Balances are read before the publisher has fenced those before it: an old one may come last.",
  promise: "The newest balance of the books ends up last on its topic.",
  edits: [
    {
      file: "shared/kafka/publish/publish-balances.ts",
      search: `    await publisher.begin();
    const changedAt = Date.now();
    const states = await takeBalanceChanges(transaction, changeIds, changedAt, tooMany);
`,
      replacement: `    const changedAt = Date.now();
    const states = await takeBalanceChanges(transaction, changeIds, changedAt, tooMany);
    await publisher.begin();
`,
    },
  ],
  caughtBy: {
    file: "test/kafka/publish/balances.test.ts",
    test: "a publisher that stands still at its request",
  },
};

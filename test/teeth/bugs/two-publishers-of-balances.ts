import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "Every process publishes balances, and fences the others all the time.",
  promise: "One process publishes balances at a time.",
  edits: [
    {
      file: "shared/ledger/outbox/balance-changes.ts",
      search: "(transaction, LOCK))?.locked === true",
      replacement: "(transaction, LOCK)) !== null",
    },
  ],
  caughtBy: {
    file: "test/kafka/publish/balances.test.ts",
    test: "of two publishers at once, one publishes",
  },
};

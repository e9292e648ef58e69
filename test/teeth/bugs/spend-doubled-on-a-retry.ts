import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "The sums of spend are written beside the transaction, and again when it runs again.",
  promise: "An outage debits nothing twice.",
  edits: [
    {
      file: "shared/ledger/usage/exactly-once.ts",
      search: "tryOnce(transaction, { ...batch, keys, mayClash }",
      replacement: "tryOnce(transaction, { ...batch, database, keys, mayClash }",
    },
    {
      file: "shared/ledger/usage/exactly-once.ts",
      search: "    addSpend(transaction, metering.spends),",
      replacement: "    inTransaction(batch.database, (own) => addSpend(own, metering.spends)),",
    },
  ],
  caughtBy: { file: "test/ledger/usage/unknown-outcome.test.ts" },
};

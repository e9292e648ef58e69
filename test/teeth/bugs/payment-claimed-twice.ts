import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "Two processes claim the same payment, and both call the gateway.",
  promise: "Each crossing brings one charge.",
  edits: [
    {
      file: "shared/ledger/payments/claim.ts",
      search: `
  FOR NO KEY UPDATE OF payment SKIP LOCKED`,
      replacement: "",
    },
  ],
  caughtBy: {
    file: "test/ledger/payments/claim-payments.test.ts",
    test: "is claimed by one of many concurrent claims",
  },
};

import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "The gateway reports a refund twice, and its credits are taken twice.",
  promise: "A refund takes its credits once.",
  edits: [
    {
      file: "shared/ledger/payments/post-refund.ts",
      search: `payment === null || known?.status === "posted"`,
      replacement: "payment === null",
    },
  ],
  caughtBy: {
    file: "test/ledger/payments/refund-books.test.ts",
    test: "takes its credits once, however often",
  },
};

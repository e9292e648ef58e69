import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "Refunds in parts may together exceed their payment, and the doctor says nothing.",
  promise: "Each kind of fault planted in the books is found.",
  edits: [
    {
      file: "shared/ledger/proof/invariants/payments.ts",
      search: "sum(refund.amount) > min(payment.amount)",
      replacement: "max(refund.amount) > min(payment.amount)",
    },
  ],
  caughtBy: { file: "test/ledger/payments/payment-invariants.test.ts" },
};

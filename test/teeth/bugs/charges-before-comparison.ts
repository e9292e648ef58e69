import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks:
    "Payments are sent before the gateway's charges are compared with books that may be restored.",
  promise: "A restore charges nobody twice, however old the charge is.",
  edits: [
    {
      file: "shared/ledger/payments/claim.ts",
      search: "($3::text IS NULL OR $3 =",
      replacement: "($3::text IS NULL OR true OR $3 =",
    },
  ],
  caughtBy: { file: "test/pipeline/lost-charges.test.ts" },
};

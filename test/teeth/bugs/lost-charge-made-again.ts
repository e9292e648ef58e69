import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "A payment is sent although the gateway has a charge of it that the books lack.",
  promise: "A restore charges nobody twice, however old the charge is.",
  edits: [
    {
      file: "shared/ledger/payments/claim.ts",
      search: 'payment.customer, payment.method, lost."lostCharge",',
      replacement: 'payment.customer, payment.method, NULL AS "lostCharge",',
    },
  ],
  caughtBy: { file: "test/pipeline/lost-charges.test.ts" },
};

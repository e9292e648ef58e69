import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "Automatic top-ups pass over the seller's ceiling.",
  promise: "No customer's setting raises the seller's ceilings.",
  edits: [
    {
      file: "shared/core/payments/decide-top-up.ts",
      search: "least(needed, tighter.left / amount, most / amount)",
      replacement: "least(needed, tighter.left / amount)",
    },
  ],
  caughtBy: { file: "test/core/payments/ceilings.test.ts" },
};

import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "A low balance asks for a top-up although one is pending.",
  promise: "One top-up of an account is in flight at a time.",
  edits: [
    {
      file: "shared/core/payments/decide-top-up.ts",
      search: " && !context.inFlight",
      replacement: "",
    },
  ],
  caughtBy: { file: "test/core/payments/decide-top-up.test.ts" },
};

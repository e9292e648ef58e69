import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks:
    "A level of a budget that an event reaches to the micro-credit is said of the next one, or not at all.",
  promise: "Each level of an alert is raised by what reaches it.",
  edits: [
    {
      file: "shared/core/usage/budget-crossings.ts",
      search: "after <= sum",
      replacement: "after < sum",
    },
  ],
  caughtBy: { file: "test/ledger/alerts/budget-alerts.test.ts", test: "each level is raised once" },
};

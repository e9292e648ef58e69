import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "Of a budget that was raised no level is said again in its window.",
  promise: "Each level of an alert is raised once in its window.",
  edits: [
    {
      file: "shared/ledger/alerts/raise-alerts.ts",
      search: "(alert.kind <> 'budget' OR alert.used_of = asked.used_of)",
      replacement: "true",
    },
  ],
  caughtBy: { file: "test/ledger/alerts/budget-alerts.test.ts", test: "is armed anew" },
};

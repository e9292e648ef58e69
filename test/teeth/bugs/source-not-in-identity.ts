import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "Two services that use the same event id are taken for one.",
  promise: "Usage is metered exactly once.",
  edits: [
    {
      file: "shared/core/usage/usage-event.ts",
      search: `\`\${accountId}\\0\${source}\\0\${eventId}\``,
      replacement: `\`\${accountId}\\0\${eventId}\``,
    },
  ],
  caughtBy: { file: "test/core/usage/meter-usage.test.ts" },
};

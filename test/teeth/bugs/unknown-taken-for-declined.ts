import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "A charge that timed out counts as declined, and the next attempt charges again.",
  promise: "A charge with an unknown outcome stays pending.",
  edits: [
    {
      file: "services/top-up/process-payment.ts",
      search: `    await putOff(context, claimed, null);
`,
      replacement: `    await settle(context, claimed, NEVER_REACHED);
`,
    },
  ],
  caughtBy: { file: "test/top-up/process-payment.test.ts" },
};

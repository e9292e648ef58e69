import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks:
    "After 23 hours a payment with an unknown outcome is declined without asking the gateway.",
  promise: "A charge with an unknown outcome is asked about by its key.",
  edits: [
    {
      file: "services/top-up/process-payment.ts",
      search: `  const found = await gateway.find(request);
  if (found !== null && !isOfOthers(found, claimed)) return found;
`,
      replacement: `  const found = null;
`,
    },
  ],
  caughtBy: { file: "test/top-up/process-payment.test.ts" },
};

import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "An Idempotency-Key that was used for another request gets that one's answer.",
  promise: "A POST with an Idempotency-Key is done once.",
  edits: [
    {
      file: "shared/ledger/access/api-requests.ts",
      search: `  if (!existing.equals(hash)) return { kind: "conflict" };
`,
      replacement: "",
    },
  ],
  caughtBy: { file: "test/api/idempotency.test.ts" },
};

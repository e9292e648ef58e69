import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "A customer's token opens the accounts of others.",
  promise: "A route is open to the tokens it names, and to no other account's.",
  edits: [
    {
      file: "services/api/access/check-access.ts",
      search: "(accountId ?? caller.accountId) === caller.accountId",
      replacement: "true",
    },
  ],
  caughtBy: { file: "test/api/access.test.ts" },
};

import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "An account pays by the own terms of whoever has some.",
  promise: "An account's own terms price its usage and nobody else's.",
  edits: [
    {
      file: "shared/core/offer/rates.ts",
      search: "  return own.get(accountId) ?? list;\n",
      replacement: "  return own.get(accountId) ?? own.values().next().value ?? list;\n",
    },
  ],
  caughtBy: { file: "test/core/usage/meter-usage-histories.test.ts" },
};

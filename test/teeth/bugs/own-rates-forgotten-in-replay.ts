import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "A replay prices all accounts by the list.",
  promise: "An account's own terms price its usage and nobody else's.",
  edits: [
    {
      file: "shared/ledger/replay/book-tables.ts",
      search: '    "own_terms",\n    "own_rate",\n',
      replacement: "",
    },
    {
      file: "shared/ledger/replay/book-tables.ts",
      search: '  ...["usage_past", ',
      replacement: '  ...["own_terms", "own_rate", "usage_past", ',
    },
  ],
  caughtBy: { file: "test/pipeline/own-rates.test.ts" },
};

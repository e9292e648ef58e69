import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "Connections to Postgres that have gone silent are waited for.",
  promise: "Services work again by themselves after connections go silent.",
  edits: [
    {
      file: "shared/ledger/postgres/database.ts",
      search: `  replaceUseless(pool, server);
`,
      replacement: "",
    },
  ],
  caughtBy: {
    file: "test/ledger/postgres/replace-connections.test.ts",
    test: "all idle connections go silent",
  },
};

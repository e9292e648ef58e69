import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "An erasure that goes on after a kill gives values other pseudonyms.",
  promise: "Once an account is erased, sums by value stay right.",
  edits: [
    {
      file: "shared/ledger/privacy/erasures.ts",
      search: "pseudonym_key AS key",
      replacement: "sha256(convert_to(random()::text, 'UTF8')) AS key",
    },
  ],
  caughtBy: { file: "test/cli/privacy/privacy.test.ts", test: "killed on the way" },
};

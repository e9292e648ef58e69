import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "An event that comes again after its account was erased is a conflict.",
  promise: "Once an account is erased, everything is still proved.",
  edits: [
    {
      file: "shared/core/usage/usage-event.ts",
      search: "one === other || isErased(one) || isErased(other)",
      replacement: "one === other",
    },
  ],
  caughtBy: { file: "test/cli/privacy/privacy.test.ts" },
};

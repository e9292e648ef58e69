import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "A hold goes on for a minute after its time is over.",
  promise: "A hold is back from the instant at which its time is over.",
  edits: [
    {
      file: "shared/core/holds/hold.ts",
      search: "hold.expiresAt > now",
      replacement: "hold.expiresAt + 60_000 > now",
    },
  ],
  caughtBy: { file: "test/core/holds/decide-holds.test.ts" },
};

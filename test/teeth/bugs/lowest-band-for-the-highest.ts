import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "An event that reaches several bands is priced by the lowest of them.",
  promise: "The highest band that an event reaches prices all of it.",
  edits: [
    {
      file: "shared/core/offer/rate-bands.ts",
      search: "a.from < b.from ? 1 : -1",
      replacement: "a.from < b.from ? -1 : 1",
    },
  ],
  caughtBy: { file: "test/core/offer/rate-bands.test.ts" },
};

import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "The last package that an event begins is not paid for.",
  promise: "An event pays for each package that it begins.",
  edits: [
    {
      file: "shared/core/offer/rate-card.ts",
      search: "return (quantity + size - 1n) / size;",
      replacement: "return quantity / size;",
    },
  ],
  caughtBy: { file: "test/core/offer/packages.test.ts" },
};

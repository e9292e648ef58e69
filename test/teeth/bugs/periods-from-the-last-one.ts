import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "After 28 February the months begin on the 28th.",
  promise: "Months come to the day in every time zone.",
  edits: [
    {
      file: "shared/core/offer/billing-periods.ts",
      search: `  const date = Temporal.PlainDate.from(anchor.date).add({ months: period });
`,
      replacement: `  let date = Temporal.PlainDate.from(anchor.date);
  for (let month = 0; month < period; month += 1) date = date.add({ months: 1 });
`,
    },
  ],
  caughtBy: { file: "test/core/offer/billing-periods.test.ts" },
};

import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "Messages that cannot be read are passed over without a dead letter.",
  promise: "What cannot be metered is kept with its reason.",
  edits: [
    {
      file: "shared/ledger/usage/exactly-once.ts",
      search: "[...unfit, ...rejectedBy(metering, batch)]",
      replacement: "rejectedBy(metering, batch)",
    },
  ],
  caughtBy: { file: "test/metering/meter-messages.test.ts" },
};

import { test } from "vitest";
import { expectAgreement } from "./expect-agreement.ts";

test(
  "a year of a few busy accounts with frequent changes and outages leaves the same books as the model",
  async () => {
    const shape = { accounts: 60, months: 12, eventsAMonth: 12, changesAMonth: 1, outages: 12 };
    await expectAgreement(4, shape);
  },
  5 * 60_000,
);

import { test } from "vitest";
import { expectAgreement } from "./expect-agreement.ts";

test(
  "a year of few accounts that use much, change their minds often and see many outages leaves the books as the model has them",
  async () => {
    const shape = { accounts: 60, months: 12, eventsAMonth: 12, changesAMonth: 1, outages: 12 };
    await expectAgreement(4, shape);
  },
  5 * 60_000,
);

import { expect, test } from "vitest";
import { openSkippedRecords } from "../../../shared/kafka/consume/skipped-records.ts";

test("a flood of skipped records is counted whole and logged once a minute for each kind", () => {
  const logged: unknown[] = [];
  let now = 0;
  const skipped = openSkippedRecords({ warn: (fields: unknown) => logged.push(fields) }, () => now);
  const [place, why] = [
    { topic: "billing.credits", partition: 3 },
    { reason: "no_key", detail: "it has no key" } as const,
  ];
  for (let offset = 0; offset < 100_000; offset += 1) {
    skipped.skip({ ...place, ...why, offset: String(offset) });
  }
  skipped.skip({ ...place, offset: "7", reason: "no_account_id", detail: "its key is empty" });
  now = 60_000;
  skipped.skip({ ...place, ...why, offset: "100000" });
  expect(logged).toEqual([
    { ...place, ...why, offset: "0", skipped: 1 },
    { ...place, offset: "7", reason: "no_account_id", detail: "its key is empty", skipped: 1 },
    { ...place, ...why, offset: "100000", skipped: 100_000 },
  ]);
  expect(skipped.counts()).toEqual([
    { topic: "billing.credits", reason: "no_key", count: 100_001 },
    { topic: "billing.credits", reason: "no_account_id", count: 1 },
  ]);
});

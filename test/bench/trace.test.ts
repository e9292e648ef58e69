import { expect, test } from "vitest";
import { breakDown } from "./trace.ts";

test("the steps of an event add up to its time, in the transaction that metered its batch", () => {
  const batch = (partition: number, lastOffset: number, handedAt: number) => ({
    ...{
      partition,
      lastOffset,
      askedAt: handedAt - 3,
      answeredAt: handedAt - 1,
      handedAt,
      busyMs: 5,
    },
  });
  const first = {
    batches: [batch(0, 9, 104), batch(1, 3, 105)],
    beganAt: 106,
    steps: [
      { name: "BEGIN", from: 106, to: 107 },
      { name: "COPY usage_record", from: 108, to: 110 },
      { name: "COPY usage_record", from: 110, to: 111 },
      { name: "COMMIT", from: 112, to: 118 },
    ],
    committedAt: 118,
  };
  const second = { batches: [batch(0, 12, 120)], beganAt: 121, steps: [], committedAt: 130 };
  const broken = breakDown(
    [
      { partition: 1, offset: 3, publishedAt: 100 },
      { partition: 0, offset: 10, publishedAt: 101 },
      { partition: 2, offset: 1, publishedAt: 101 },
    ],
    {
      transactions: [first, second],
      pauses: [
        { from: 90, to: 102 },
        { from: 117, to: 119 },
      ],
    },
  );
  expect(Object.fromEntries(broken.steps)).toEqual({
    "published, before its fetch is sent": [2, 16],
    "published and fetched": [2, 2],
    "handed over": [1, 1],
    "joined and decoded": [1, 1],
    BEGIN: [1, 0],
    "COPY usage_record": [3, 0],
    COMMIT: [6, 0],
    "between statements": [2, 9],
  });
  expect(broken.total).toEqual([18, 29]);
  expect(broken.collecting).toEqual([3, 3]);
  expect(broken.busy).toEqual([5, 5]);
});

import { expect, test } from "vitest";
import { afterFailure, RETRIED_FOR_MS } from "../../../shared/core/webhooks/retries.ts";

const now = Date.UTC(2026, 8, 1);
const HOUR = 60 * 60_000;

test("the waits grow: 5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 h, and then the endpoint is paused", () => {
  const waits = Array.from({ length: 10 }, (_, at) => {
    const after = afterFailure({ tries: at + 1, failingSince: now, now });
    return after.kind === "pause" ? "pause" : (after.at - now) / 1000;
  });
  const hours = [2, 5, 10, 14, 20, 24].map((count) => count * 3600);
  expect(waits).toEqual([5, 300, 1800, ...hours, "pause"]);
});

test("an endpoint that nothing has reached for as long is paused, however new the delivery is", () => {
  const since = (failingSince: number) => afterFailure({ tries: 1, failingSince, now }).kind;
  expect(RETRIED_FOR_MS / HOUR).toBeCloseTo(75.58);
  expect(since(now - RETRIED_FOR_MS + 1)).toBe("retry");
  expect(since(now - RETRIED_FOR_MS)).toBe("pause");
});

test("one that took something else meanwhile is not", () => {
  expect(afterFailure({ tries: 9, failingSince: null, now }).kind).toBe("retry");
});

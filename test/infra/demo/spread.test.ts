/**
 * - every run assigns the requests in the same way
 * - a few accounts have many of them, and most have few
 */
import { describe, expect, test } from "vitest";
import { randomIntegers, spreadRequests } from "../../../infra/demo/spread.ts";

describe("8,819 requests assigned to 300 accounts", () => {
  const counts = countsOf(spreadRequests(8_819, 300), 300);

  test("are assigned in the same way every time", () => {
    expect(countsOf(spreadRequests(8_819, 300), 300)).toEqual(counts);
    expect(counts.slice(0, 5)).toEqual([1395, 716, 475, 378, 273]);
  });

  test("are all assigned, and every account has some", () => {
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(8_819);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  test("belong by half or more to a tenth of the accounts", () => {
    const busiest = counts.toSorted((a, b) => b - a).slice(0, 30);
    expect(busiest.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(8_819 / 2);
  });
});

test("one account has all requests", () => {
  expect(countsOf(spreadRequests(100, 1), 1)).toEqual([100]);
});

test("whole numbers below a limit are drawn evenly", () => {
  const random = randomIntegers(1);
  const counts = countsOf(
    Array.from({ length: 60_000 }, () => random(6)),
    6,
  );
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
});

function countsOf(numbers: readonly number[], below: number): number[] {
  const counts = new Array<number>(below).fill(0);
  for (const number of numbers) counts[number] = (counts[number] ?? 0) + 1;
  return counts;
}

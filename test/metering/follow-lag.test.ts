import { expect, test } from "vitest";
import { lagFollower } from "../../services/metering/follow-lag.ts";

const START = Date.parse("2026-11-01T00:00:00Z");
const SECOND = 1_000;

/** A follower of one partition, with times in seconds since it began. */
function given({ low = 0, high = 0, offset = 0 } = {}) {
  const follower = lagFollower();
  const look = (second: number, ends: { low?: number; high: number; offset?: number }) =>
    follower.look(
      [{ partition: 0, low: BigInt(ends.low ?? low), high: BigInt(ends.high) }],
      ends.offset === undefined ? new Map() : new Map([[0, BigInt(ends.offset)]]),
      START + second * SECOND,
    );
  look(0, { high, offset });
  return {
    look,
    metered: (publishedAt: number) => follower.metered(0, START + publishedAt * SECOND),
    lag(second: number) {
      const [lag] = follower.lags(START + second * SECOND);
      return { events: lag?.events, seconds: lag?.seconds };
    },
  };
}

test("where all is read, nothing lags, however long nothing has come", () => {
  const { look, lag } = given({ high: 100, offset: 100 });
  expect(lag(0)).toEqual({ events: 0, seconds: 0 });
  look(3_600, { high: 100, offset: 100 });
  expect(lag(3_600)).toEqual({ events: 0, seconds: 0 });
});

test("books that another process has moved beyond the end that was seen lag by nothing", () => {
  const { look, lag } = given({ high: 100, offset: 100 });
  look(1, { high: 120, offset: 110 });
  look(2, { high: 130, offset: 150 });
  expect(lag(3)).toEqual({ events: 0, seconds: 0 });
});

test("what has come since lags from when its end was first seen, until the books have read it", () => {
  const { look, lag } = given({ high: 100, offset: 100 });
  look(10, { high: 130, offset: 100 });
  look(12, { high: 150, offset: 100 });
  expect(lag(20)).toEqual({ events: 50, seconds: 10 });
  look(22, { high: 160, offset: 129 });
  expect(lag(22)).toEqual({ events: 31, seconds: 12 });
  look(24, { high: 160, offset: 130 });
  expect(lag(24)).toEqual({ events: 30, seconds: 12 });
  look(26, { high: 160, offset: 150 });
  expect(lag(26)).toEqual({ events: 10, seconds: 4 });
  look(28, { high: 160, offset: 160 });
  expect(lag(28)).toEqual({ events: 0, seconds: 0 });
});

test("a backlog from before is as old as the process, until what it meters tells its age", () => {
  const { look, metered, lag } = given({ high: 1_000, offset: 0 });
  expect(lag(5)).toEqual({ events: 1_000, seconds: 5 });
  metered(-7_200);
  look(6, { high: 1_100, offset: 400 });
  expect(lag(6)).toEqual({ events: 700, seconds: 7_206 });
  look(8, { high: 1_100, offset: 1_000 });
  expect(lag(8)).toEqual({ events: 100, seconds: 2 });
});

test("what retention has deleted lags no more", () => {
  const { look, lag } = given({ high: 100 });
  look(10, { low: 100, high: 100, offset: 40 });
  expect(lag(10)).toEqual({ events: 0, seconds: 0 });
});

/** The scheduler's health, with the clocks handed in: a run that does not begin when it is due, or stands still. */
import { expect, test } from "vitest";
import { followRuns } from "../../services/scheduler/follow-runs.ts";
import { runByCron } from "../../services/scheduler/run-by-cron.ts";
import { openHealth } from "../../shared/runtime/health/health.ts";
import { eventually } from "../support/eventually.ts";

const LIMIT_MS = 60_000;
const NOON = Date.parse("2026-11-29T12:00:00Z");
const DUE = new Date(NOON + 30_000);

function given() {
  const at = { now: NOON, elapsed: 5_000 };
  const runs = followRuns({ now: () => at.now, elapsed: () => at.elapsed });
  const health = openHealth(LIMIT_MS, new AbortController().signal, () => at.elapsed);
  health.work("runs", runs.standsForMs);
  const pass = (ms: number) => {
    at.now += ms;
    at.elapsed += ms;
  };
  const found = async () => (await health.readiness())["runs"]?.reason ?? null;
  const isAlive = async () => (await health.liveness())["runs"] === null;
  return { at, runs, pass, found, isAlive };
}

test("a run that has not begun is overdue once it is late by the limit, and not before", async () => {
  const { runs, pass, found } = given();
  runs.onDue(DUE);
  pass(30_000 + LIMIT_MS - 1);
  expect(await found()).toBeNull();
  pass(1);
  expect(await found()).toBe("it has not moved for 60 s");
});

test("one that is overdue asks for a restart within twice the limit, and no more once it begins", async () => {
  const { runs, pass, isAlive } = given();
  runs.onDue(DUE);
  pass(30_000 + LIMIT_MS);
  expect(await isAlive()).toBe(true);
  pass(LIMIT_MS);
  expect(await isAlive()).toBe(false);
  const { promise, resolve } = Promise.withResolvers<void>();
  const running = runs.followed(() => promise)();
  expect(await isAlive()).toBe(true);
  resolve();
  await running;
  expect(await isAlive()).toBe(true);
});

test("a run is late by the time that passes, whatever a clock is set to", async () => {
  const { at, runs, pass, found } = given();
  runs.onDue(DUE);
  at.now += 24 * 60 * LIMIT_MS;
  expect(await found()).toBeNull();
  at.now = NOON - 24 * 60 * LIMIT_MS;
  pass(30_000 + LIMIT_MS);
  expect(await found()).toBe("it has not moved for 60 s");
});

test("a run under way stands still when it takes no step for the limit", async () => {
  const { runs, pass, found } = given();
  const { promise, resolve } = Promise.withResolvers<void>();
  const running = runs.followed(() => promise)();
  pass(LIMIT_MS - 1);
  runs.onStep();
  pass(LIMIT_MS - 1);
  expect(await found()).toBeNull();
  pass(1);
  expect(await found()).toBe("it has not moved for 60 s");
  resolve();
  await running;
  expect(await found()).toBeNull();
});

test("by cron, the next run is due as each one ends, and none is while one is under way", async () => {
  const stopping = new AbortController();
  const due: (Date | null)[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const options = { onDue: (next: Date | null) => void due.push(next) };
  const running = runByCron("0 0 29 2 *", () => promise, stopping.signal, options);
  expect(due).toEqual([]);
  resolve();
  await eventually("the next is due", () => due.length === 1);
  expect(due[0]?.getTime()).toBeGreaterThan(Date.now());
  expect(due[0]?.toISOString()).toMatch(/-02-29T00:00:00\.000Z$/);
  stopping.abort();
  await running;
});

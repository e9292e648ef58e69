/**
 * - a sleep lasts for its duration, or until it is woken, or until the service is asked to stop
 * - a wake-up before a sleep ends it immediately, and only that one
 */
import { expect, test } from "vitest";
import { openSleeper } from "../../shared/runtime/sleeper.ts";

const LONG_MS = 60_000;

test("a sleep lasts for its duration", async () => {
  const startedAt = performance.now();
  await openSleeper(new AbortController().signal).sleep(30);
  expect(performance.now() - startedAt).toBeGreaterThan(28);
});

test("a wake-up ends a sleep", async () => {
  const sleeper = openSleeper(new AbortController().signal);
  const taken = sleeper.sleep(LONG_MS);
  sleeper.wake();
  await taken;
});

test("a wake-up before a sleep is not lost, and ends one sleep", async () => {
  const sleeper = openSleeper(new AbortController().signal);
  sleeper.wake();
  sleeper.wake();
  await sleeper.sleep(LONG_MS);
  const startedAt = performance.now();
  await sleeper.sleep(30);
  expect(performance.now() - startedAt).toBeGreaterThan(28);
});

test("a sleep ends when the service is asked to stop", async () => {
  const stop = new AbortController();
  const taken = openSleeper(stop.signal).sleep(LONG_MS);
  stop.abort();
  await taken;
});

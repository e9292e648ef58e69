/**
 * - a rest lasts its time, or until it is woken, or until the service is asked to stop
 * - news that comes before a rest ends it at once, and that one only
 */
import { expect, test } from "vitest";
import { openRest } from "../../shared/runtime/rest.ts";

const LONG_MS = 60_000;

test("a rest lasts its time", async () => {
  const startedAt = performance.now();
  await openRest(new AbortController().signal).take(30);
  expect(performance.now() - startedAt).toBeGreaterThan(28);
});

test("news ends a rest", async () => {
  const rest = openRest(new AbortController().signal);
  const taken = rest.take(LONG_MS);
  rest.wake();
  await taken;
});

test("news before a rest is not lost, and ends one rest", async () => {
  const rest = openRest(new AbortController().signal);
  rest.wake();
  rest.wake();
  await rest.take(LONG_MS);
  const startedAt = performance.now();
  await rest.take(30);
  expect(performance.now() - startedAt).toBeGreaterThan(28);
});

test("a rest ends when the service is asked to stop", async () => {
  const stop = new AbortController();
  const taken = openRest(stop.signal).take(LONG_MS);
  stop.abort();
  await taken;
});

/**
 * - no two ids are equal
 * - a later id sorts later: within a millisecond, past 4096 in one, and when the clock stands still or
 *   steps back
 * - an id contains the time of its creation, as long as the clock goes forward
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { eventIds } from "../../shared/client/event-ids.ts";
import { NOON } from "../support/core/examples.ts";

test("an id starts with the time of its creation", () => {
  expect(timeOf(eventIds()(NOON))).toBe(NOON);
});

test("ids of one millisecond sort in the order of their creation, past 4096 too", () => {
  const newId = eventIds();
  const ids = Array.from({ length: 10_000 }, () => newId(NOON));
  expectRising(ids);
  expect(timeOf(ids[4095] ?? "")).toBe(NOON);
  expect(timeOf(ids[4096] ?? "")).toBe(NOON + 1);
});

test("ids continue from the last when the clock steps back, and follow it once it has caught up", () => {
  const newId = eventIds();
  const ids = [newId(NOON), newId(NOON - 60_000), newId(NOON - 59_999), newId(NOON + 1)];
  expectRising(ids);
  expect(ids.map(timeOf)).toEqual([NOON, NOON, NOON, NOON + 1]);
});

test("ids increase whatever the clock shows", () => {
  const clock = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 600 });
  fc.assert(
    fc.property(clock, (steps) => {
      const newId = eventIds();
      let now = NOON;
      expectRising(
        steps.map((step) => {
          now += step;
          return newId(now);
        }),
      );
    }),
  );
});

test("two generators create different ids at the same instant", () => {
  const [one, other] = [eventIds(), eventIds()];
  const ids = Array.from({ length: 2000 }, () => [one(NOON), other(NOON)]).flat();
  expect(new Set(ids).size).toBe(ids.length);
});

function timeOf(id: string): number {
  return Number.parseInt(id.replace("-", "").slice(0, 12), 16);
}

function expectRising(ids: readonly string[]): void {
  for (const [i, id] of ids.entries()) {
    if (i > 0) expect(id > (ids[i - 1] ?? "")).toBe(true);
  }
}

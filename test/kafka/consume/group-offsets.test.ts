import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { groupOffsets } from "../../../shared/kafka/consume/group-offsets.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Commits every second, each of which is under way until the test ends it. */
function committed() {
  const commits: {
    readonly offsets: Record<number, bigint>;
    end(): void;
    fail(error: Error): void;
  }[] = [];
  const failures: string[] = [];
  const offsets = groupOffsets({
    everyMs: 1_000,
    commit(newest) {
      const { promise, resolve: end, reject: fail } = Promise.withResolvers<void>();
      commits.push({ offsets: Object.fromEntries(newest), end, fail });
      return promise;
    },
    onFailed: ({ message }) => failures.push(message),
  });
  return { offsets, commits, failures, asked: () => commits.map((commit) => commit.offsets) };
}

test("the newest offsets of all partitions are committed together, once in an interval", async () => {
  const { offsets, commits, asked } = committed();
  offsets.note(0, 5n);
  offsets.note(3, 7n);
  await vi.advanceTimersByTimeAsync(999);
  offsets.note(0, 6n);
  expect(asked()).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  commits[0]?.end();
  offsets.note(3, 8n);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(asked()).toEqual([{ 0: 6n, 3: 7n }, { 3: 8n }]);
});

test("one commit is under way at a time, and the next has what came meanwhile", async () => {
  const { offsets, commits, asked } = committed();
  offsets.note(0, 1n);
  await vi.advanceTimersByTimeAsync(1_000);
  offsets.note(0, 2n);
  await vi.advanceTimersByTimeAsync(10_000);
  offsets.note(0, 3n);
  expect(asked()).toEqual([{ 0: 1n }]);
  commits[0]?.end();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked()).toEqual([{ 0: 1n }, { 0: 3n }]);
});

test("a failed commit is reported, and the next one has newer offsets", async () => {
  const { offsets, commits, asked, failures } = committed();
  offsets.note(0, 1n);
  await vi.advanceTimersByTimeAsync(1_000);
  commits[0]?.fail(new Error("not the coordinator"));
  await vi.advanceTimersByTimeAsync(5_000);
  expect({ asked: asked(), failures }).toEqual({
    asked: [{ 0: 1n }],
    failures: ["not the coordinator"],
  });
  offsets.note(0, 2n);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked()).toEqual([{ 0: 1n }, { 0: 2n }]);
});

test("stopping waits for the commit under way, commits what is left, and ends", async () => {
  const { offsets, commits, asked } = committed();
  offsets.note(0, 1n);
  await vi.advanceTimersByTimeAsync(1_000);
  offsets.note(0, 2n);
  let isStopped = false;
  const stopped = offsets.stop().then(() => {
    isStopped = true;
  });
  await vi.advanceTimersByTimeAsync(1_000);
  expect({ isStopped, asked: asked() }).toEqual({ isStopped: false, asked: [{ 0: 1n }] });
  commits[0]?.end();
  await vi.advanceTimersByTimeAsync(0);
  expect({ isStopped, asked: asked() }).toEqual({
    isStopped: false,
    asked: [{ 0: 1n }, { 0: 2n }],
  });
  commits[1]?.end();
  await stopped;
  offsets.note(0, 3n);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(asked()).toHaveLength(2);
});

test("what belongs to others now is not committed", async () => {
  const { offsets, asked } = committed();
  offsets.note(0, 1n);
  offsets.forget();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(asked()).toEqual([]);
});

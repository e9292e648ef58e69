/**
 * - waits double from a quarter of a second to five
 * - an outage is waited out, reported before each wait; anything else ends the work with its error
 * - an abort ends a wait immediately, with the error of the outage
 */
import { describe, expect, test } from "vitest";
import { growingWait, waitOut } from "../../shared/runtime/waits.ts";

class Outage extends Error {}

describe("the wait before a retry", () => {
  test.each([
    { tries: 1, ms: 250 },
    { tries: 2, ms: 500 },
    { tries: 3, ms: 1_000 },
    { tries: 5, ms: 4_000 },
    { tries: 6, ms: 5_000 },
    { tries: 2_000, ms: 5_000 },
  ])("number $tries is $ms ms", ({ tries, ms }) => {
    expect(growingWait(tries)).toBe(ms);
  });
});

describe("waiting out an outage", () => {
  test("does not wait when the work succeeds", async () => {
    const told = listener();
    expect(await waitOut(async () => 7, { ...told, signal: never() })).toBe(7);
    expect(told.waits).toEqual([]);
  });

  test("retries until it is over, reporting each wait", async () => {
    const told = listener();
    const work = failing(new Outage("one"), new Outage("two"));
    expect(await waitOut(work, { ...told, signal: never() })).toBe("done");
    expect(told.waits).toEqual(["one, 250 ms", "two, 500 ms"]);
  });

  test("ends with any other error", async () => {
    const told = listener();
    const work = failing(new Outage("one"), new TypeError("a bug"));
    await expect(waitOut(work, { ...told, signal: never() })).rejects.toThrow("a bug");
    expect(told.waits).toEqual(["one, 250 ms"]);
  });

  test("ends with an error thrown by the report", async () => {
    const options = {
      isOutage: () => true,
      onWait: () => Promise.reject(new Error("no heartbeat")),
      signal: never(),
    };
    await expect(waitOut(failing(new Outage("one")), options)).rejects.toThrow("no heartbeat");
  });

  test("is ended by an abort during a wait, immediately and with the outage", async () => {
    const stopping = new AbortController();
    const told = listener(() => stopping.abort());
    const before = performance.now();
    const waiting = waitOut(failing(new Outage("one")), { ...told, signal: stopping.signal });
    await expect(waiting).rejects.toThrow("one");
    expect(performance.now() - before).toBeLessThan(200);
  });

  test("does not start to wait after an abort", async () => {
    const told = listener();
    const waiting = waitOut(failing(new Outage("one")), { ...told, signal: AbortSignal.abort() });
    await expect(waiting).rejects.toThrow("one");
    expect(told.waits).toEqual([]);
  });

  test("leaves no listeners on the signal", async () => {
    const stopping = new AbortController();
    let added = 0;
    let removed = 0;
    const { signal } = stopping;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...of: Parameters<typeof add>) => {
      added += 1;
      add(...of);
    };
    signal.removeEventListener = (...of: Parameters<typeof remove>) => {
      removed += 1;
      remove(...of);
    };
    await waitOut(failing(new Outage("one")), { ...listener(), signal });
    expect(removed).toBe(added);
  });
});

/** Work that fails with each error in turn, then succeeds. */
function failing(...errors: readonly Error[]): () => Promise<string> {
  const left = [...errors];
  return async () => {
    const error = left.shift();
    if (error !== undefined) throw error;
    return "done";
  };
}

/** Records the reports; `onWait` runs at each. */
function listener(onWait: () => void = () => {}) {
  const waits: string[] = [];
  return {
    waits,
    isOutage: (error: unknown) => error instanceof Outage,
    onWait(error: unknown, waitMs: number) {
      waits.push(`${(error as Error).message}, ${waitMs} ms`);
      onWait();
    },
  };
}

function never(): AbortSignal {
  return new AbortController().signal;
}

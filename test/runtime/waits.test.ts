/**
 * - waits double from a quarter of a second to five
 * - an outage is waited out, said before each wait; anything else ends the work with its error
 * - an abort ends a wait at once, with the error that was waited out
 */
import { describe, expect, test } from "vitest";
import { growingWait, waitOut } from "../../shared/runtime/waits.ts";

class Outage extends Error {}

describe("the wait before try", () => {
  test.each([
    { tries: 1, ms: 250 },
    { tries: 2, ms: 500 },
    { tries: 3, ms: 1_000 },
    { tries: 5, ms: 4_000 },
    { tries: 6, ms: 5_000 },
    { tries: 2_000, ms: 5_000 },
  ])("$tries is $ms ms", ({ tries, ms }) => {
    expect(growingWait(tries)).toBe(ms);
  });
});

describe("waiting out", () => {
  test("work that succeeds waits for nothing", async () => {
    const told = listener();
    expect(await waitOut(async () => 7, { ...told, signal: never() })).toBe(7);
    expect(told.waits).toEqual([]);
  });

  test("an outage tries again until it is over, telling each wait", async () => {
    const told = listener();
    const work = failing(new Outage("one"), new Outage("two"));
    expect(await waitOut(work, { ...told, signal: never() })).toBe("done");
    expect(told.waits).toEqual(["one, 250 ms", "two, 500 ms"]);
  });

  test("anything but an outage ends it with its error", async () => {
    const told = listener();
    const work = failing(new Outage("one"), new TypeError("a bug"));
    await expect(waitOut(work, { ...told, signal: never() })).rejects.toThrow("a bug");
    expect(told.waits).toEqual(["one, 250 ms"]);
  });

  test("an error while telling ends it with that error", async () => {
    const options = {
      isOutage: () => true,
      onWait: () => Promise.reject(new Error("no heartbeat")),
      signal: never(),
    };
    await expect(waitOut(failing(new Outage("one")), options)).rejects.toThrow("no heartbeat");
  });

  test("is ended by an abort while it waits, at once and with the outage", async () => {
    const stopping = new AbortController();
    const told = listener(() => stopping.abort());
    const before = performance.now();
    const waiting = waitOut(failing(new Outage("one")), { ...told, signal: stopping.signal });
    await expect(waiting).rejects.toThrow("one");
    expect(performance.now() - before).toBeLessThan(200);
  });

  test("does not begin to wait after an abort", async () => {
    const told = listener();
    const waiting = waitOut(failing(new Outage("one")), { ...told, signal: AbortSignal.abort() });
    await expect(waiting).rejects.toThrow("one");
    expect(told.waits).toEqual([]);
  });

  test("leaves no listener behind on the signal for each wait", async () => {
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

/** Writes down what it is told; `onWait` runs then. */
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

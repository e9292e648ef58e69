import { setTimeout as wait } from "node:timers/promises";

const AGAIN_MS = 300;
const WITHIN_MS = 120_000;

/** Repeats what an outage may fail, until it succeeds; after two minutes it throws. */
export async function again<T>(work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + WITHIN_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await wait(AGAIN_MS);
    }
  }
}

import { setTimeout as sleep } from "node:timers/promises";

const FIRST_MS = 250;
const LONGEST_MS = 5_000;

/** The wait before try number `tries` (from 1): doubling from a quarter of a second to five. */
export function growingWait(tries: number): number {
  return Math.min(FIRST_MS * 2 ** (tries - 1), LONGEST_MS);
}

/**
 * Runs `work` until it succeeds, with growing waits between tries as long as `isOutage` says that
 * what failed will come back. Anything else, and an abort, ends it with the error.
 */
export async function waitOut<T>(
  work: () => Promise<T>,
  options: {
    isOutage(error: unknown): boolean;
    /** Called before each wait. */
    onWait(error: unknown, waitMs: number): void | Promise<void>;
    signal: AbortSignal;
  },
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!options.isOutage(error) || options.signal.aborted) throw error;
      const waitMs = growingWait(tries);
      await options.onWait(error, waitMs);
      await sleep(waitMs, undefined, { signal: options.signal }).catch(() => undefined);
      if (options.signal.aborted) throw error;
    }
  }
}

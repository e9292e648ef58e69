import { setTimeout as sleep } from "node:timers/promises";

const FIRST_MS = 250;
const LONGEST_MS = 5_000;

/** The wait after failure number `tries` (from 1), in milliseconds: doubles from 250 to 5,000. */
export function growingWait(tries: number): number {
  return Math.min(FIRST_MS * 2 ** (tries - 1), LONGEST_MS);
}

/**
 * Retries `work` with growing waits as long as `isOutage` is true for its errors. Any other error, or an
 * abort of `signal`, rejects with the error.
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

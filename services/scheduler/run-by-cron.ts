import { schedule } from "node-cron";

/**
 * Calls `work` at once and then whenever the cron expression, read in UTC, says so, until `stopping`.
 * It is never called twice at once: what falls into a call is left out.
 */
export async function runByCron(
  expression: string,
  work: () => Promise<void>,
  stopping: AbortSignal,
): Promise<void> {
  let beat = Promise.withResolvers<void>();
  const strike = () => beat.resolve();
  const task = schedule(expression, strike, { timezone: "UTC", suppressMissedWarning: true });
  stopping.addEventListener("abort", strike, { once: true });
  while (!stopping.aborted) {
    await work();
    beat = Promise.withResolvers();
    if (!stopping.aborted) await beat.promise;
  }
  await task.destroy();
}

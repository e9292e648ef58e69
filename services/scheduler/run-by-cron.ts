import { schedule } from "node-cron";

/**
 * Calls `work` whenever the cron expression, read in UTC, says so, until `stopping`; and at once, unless
 * `later`.
 * It is never called twice at once: what falls into a call is left out.
 */
export async function runByCron(
  expression: string,
  work: () => Promise<void>,
  stopping: AbortSignal,
  { later = false }: { readonly later?: boolean } = {},
): Promise<void> {
  let beat = Promise.withResolvers<void>();
  const strike = () => beat.resolve();
  const task = schedule(expression, strike, { timezone: "UTC", suppressMissedWarning: true });
  stopping.addEventListener("abort", strike, { once: true });
  if (!later) await work();
  while (!stopping.aborted) {
    beat = Promise.withResolvers();
    await beat.promise;
    if (!stopping.aborted) await work();
  }
  await task.destroy();
}

import { schedule } from "node-cron";

/**
 * Calls `work` on the schedule of a cron expression in UTC until `stopping`, and immediately unless
 * `later`. Calls never overlap: times during a call are skipped.
 */
export async function runByCron(
  expression: string,
  work: () => Promise<void>,
  stopping: AbortSignal,
  { later = false }: { readonly later?: boolean } = {},
): Promise<void> {
  let next = Promise.withResolvers<void>();
  const tick = () => next.resolve();
  const task = schedule(expression, tick, { timezone: "UTC", suppressMissedWarning: true });
  stopping.addEventListener("abort", tick, { once: true });
  if (!later) await work();
  while (!stopping.aborted) {
    next = Promise.withResolvers();
    await next.promise;
    if (!stopping.aborted) await work();
  }
  await task.destroy();
}

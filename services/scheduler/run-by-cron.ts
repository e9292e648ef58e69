import { schedule } from "node-cron";

/**
 * Calls `work` on the schedule of a cron expression in UTC until `stopping`, and immediately unless
 * `later`. `onDue` is told when the next call is due. Calls never overlap: times during a call are skipped.
 */
export async function runByCron(
  expression: string,
  work: () => Promise<void>,
  stopping: AbortSignal,
  { later = false, onDue }: { readonly later?: boolean; onDue?(next: Date | null): void } = {},
): Promise<void> {
  let next = Promise.withResolvers<void>();
  const tick = () => next.resolve();
  const task = schedule(expression, tick, { timezone: "UTC", suppressMissedWarning: true });
  stopping.addEventListener("abort", tick, { once: true });
  if (!later) await work();
  while (!stopping.aborted) {
    next = Promise.withResolvers();
    onDue?.(task.getNextRun());
    await next.promise;
    if (!stopping.aborted) await work();
  }
  await task.destroy();
}

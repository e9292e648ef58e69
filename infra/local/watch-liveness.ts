import { setTimeout as wait } from "node:timers/promises";
import { askHealth } from "../../shared/runtime/health/ask-health.ts";

const ASK_EVERY_MS = 5_000;
/** Longer than a watchdog takes to end a process whose event loop stands still. */
const MOST_SILENT = 9;

/**
 * Asks a service whether it is alive until it says that it is not, and returns why; null once `ended`. One that gives
 * no answer has not started yet, or its own watchdog ends it; but for nine asks in a row after it had answered, it is
 * stopped as a whole, with its watchdog.
 */
export async function untilNotAlive(
  address: string,
  ended: AbortSignal,
  askEveryMs = ASK_EVERY_MS,
): Promise<string | null> {
  let silent: number | null = null; // it has never answered
  while (!ended.aborted) {
    await wait(askEveryMs, undefined, { signal: ended }).catch(() => undefined);
    if (ended.aborted) return null;
    const down = await askHealth(address, "/livez").catch(() => null);
    if (down !== null) silent = 0;
    else if (silent !== null) silent += 1;
    if (silent === MOST_SILENT) return `no answer, ${MOST_SILENT} times in a row`;
    if (down !== null && down.length > 0)
      return down.map(({ check, reason }) => `${check}: ${reason}`).join("; ");
  }
  return null;
}

import { setTimeout as wait } from "node:timers/promises";
import { askHealth } from "../../shared/runtime/health/ask-health.ts";

const ASK_EVERY_MS = 5_000;

/**
 * Asks a service whether it is alive until it says that it is not, and returns why; null once `ended`. One that
 * gives no answer has not started yet, or its own watchdog ends it.
 */
export async function untilNotAlive(
  address: string,
  ended: AbortSignal,
  askEveryMs = ASK_EVERY_MS,
): Promise<string | null> {
  while (!ended.aborted) {
    await wait(askEveryMs, undefined, { signal: ended }).catch(() => undefined);
    const down = ended.aborted ? [] : await askHealth(address, "/livez").catch(() => []);
    if (down.length > 0) return down.map(({ check, reason }) => `${check}: ${reason}`).join("; ");
  }
  return null;
}

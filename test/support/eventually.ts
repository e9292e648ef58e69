import { setTimeout as wait } from "node:timers/promises";

const OFTEN_MS = 20;
const SELDOM_MS = 200;

/**
 * Waits until `holds` is true; after `withinMs` throws an error that names what did not happen. What takes
 * long is looked at less often: it is seen a tenth late at most.
 */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const began = Date.now();
  while (!(await holds())) {
    const waited = Date.now() - began;
    if (waited > withinMs) throw new Error(`never came about: ${what}`);
    await wait(Math.min(Math.max(waited / 10, OFTEN_MS), SELDOM_MS));
  }
}

import { setTimeout as wait } from "node:timers/promises";

/** Waits until `holds` is true; after `withinMs` throws an error that names what did not happen. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`never came about: ${what}`);
    await wait(20);
  }
}

import { setTimeout as wait } from "node:timers/promises";
import type { Question } from "./progress.ts";

/** How long each service took until it made progress again, in milliseconds. */
export interface Recovery {
  readonly byService: ReadonlyMap<string, number>;
  /** What has not come within the bound. */
  readonly missing: readonly string[];
}

const ASK_EVERY_MS = 100;

/** Asks until everything moves, for at most `boundMs`. */
export async function untilProgress(
  questions: readonly Question[],
  since: number,
  boundMs: number,
): Promise<Recovery> {
  const byService = new Map<string, number>();
  let left = [...questions];
  while (left.length > 0 && performance.now() - since < boundMs) {
    const answers = await Promise.all(left.map(({ ask }) => ask().catch(() => false)));
    const took = performance.now() - since;
    for (const [index, { service }] of left.entries()) {
      if (answers[index]) byService.set(service, Math.max(took, byService.get(service) ?? 0));
    }
    left = left.filter((_, index) => !answers[index]);
    await wait(ASK_EVERY_MS);
  }
  for (const { service } of left) byService.set(service, Number.POSITIVE_INFINITY);
  return { byService, missing: left.map(({ service, what }) => `${service} ${what}`) };
}

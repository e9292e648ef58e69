import { workInHand } from "../../shared/runtime/health/work-in-hand.ts";

/** Follows the scheduler's runs: whether each begins when it is due, and moves on. */
export function followRuns() {
  const inHand = workInHand();
  let piece: ReturnType<typeof inHand.take> | null = null;
  let dueAt = Number.POSITIVE_INFINITY;

  return {
    followed: (run: () => Promise<void>) => async () => {
      dueAt = Number.POSITIVE_INFINITY;
      piece = inHand.take();
      try {
        await run();
      } finally {
        piece.done();
        piece = null;
      }
    },
    onStep: () => piece?.moved(),
    onDue(next: Date | null): void {
      dueAt = next?.getTime() ?? Number.POSITIVE_INFINITY;
    },
    /** For how many milliseconds a run has been overdue, or has stood still. */
    standsForMs: () => Math.max(0, inHand.standsForMs(), Date.now() - dueAt),
  };
}

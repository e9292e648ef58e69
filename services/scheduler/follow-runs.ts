import { type Piece, workInHand } from "../../shared/runtime/health/work-in-hand.ts";

/** `now` is the wall's, by which runs are due, and `elapsed` the process's own, which nobody sets. */
interface Clock {
  now(): number;
  elapsed(): number;
}

const CLOCK: Clock = { now: Date.now, elapsed: () => performance.now() };

/** Follows the scheduler's runs: whether each begins when it is due, and moves on. */
export function followRuns({ now, elapsed }: Clock = CLOCK) {
  const inHand = workInHand(elapsed);
  let piece: Piece | null = null;
  /** By `elapsed`: a clock that is set makes no run overdue. */
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
      dueAt = next === null ? Number.POSITIVE_INFINITY : elapsed() + next.getTime() - now();
    },
    /** For how many milliseconds a run has been overdue, or has stood still. */
    standsForMs: () => Math.max(0, inHand.standsForMs(), elapsed() - dueAt),
  };
}

/** A loop, and whether it comes round. One that has ended never does. */
export interface LoopWatch {
  /** Each turn of the loop. One that fails has come round, too: what it needs may be away. */
  turn(work: () => Promise<void>): () => Promise<void>;
  /** For how many milliseconds it should have come round. */
  standsForMs(): number;
}

/** No turn rests, waits for its next try or publishes for longer, while its servers answer. */
const TURN_MS = 5_000;

/** Time is the process's own, so no clock that is set shows. */
export function watchLoop(now: () => number = () => performance.now()): LoopWatch {
  let turnedAt = now();
  return {
    turn: (work) => async () => {
      try {
        await work();
      } finally {
        turnedAt = now();
      }
    },
    standsForMs: () => Math.max(0, now() - turnedAt - TURN_MS),
  };
}

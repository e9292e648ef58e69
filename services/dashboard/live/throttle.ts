/**
 * Runs `work` soon after a call, and at most once per `every` milliseconds. The last call is never
 * lost.
 */
export function throttle(every: number, work: () => void): () => void {
  let last = Number.NEGATIVE_INFINITY;
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    setTimeout(
      () => {
        waiting = false;
        last = Date.now();
        work();
      },
      Math.max(50, last + every - Date.now()),
    );
  };
}

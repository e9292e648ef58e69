/**
 * Runs `work` soon after it is asked for, and at most once every `every` milliseconds however often
 * it is asked for. The last asking is never lost.
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

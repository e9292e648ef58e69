/** A rest that news can cut short. */
export interface Rest {
  /** There is news: ends the rest, or the next one where none is taken now. */
  wake(): void;
  /** Lasts so long, or until it is woken, or the service is asked to stop. */
  take(ms: number): Promise<void>;
}

export function openRest(stopping: AbortSignal): Rest {
  let isWoken = stopping.aborted;
  let end = () => {};
  const wake = () => {
    isWoken = true;
    end();
  };
  stopping.addEventListener("abort", wake, { once: true });
  return {
    wake,
    async take(ms) {
      if (!isWoken) {
        const { promise, resolve } = Promise.withResolvers<void>();
        const timer = setTimeout(resolve, ms);
        end = resolve;
        await promise;
        clearTimeout(timer);
      }
      isWoken = false;
    },
  };
}

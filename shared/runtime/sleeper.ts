/** Sleeps that can be cut short. */
export interface Sleeper {
  /** Ends the current sleep, or the next one where none is under way. */
  wake(): void;
  /** Resolves after `ms` milliseconds, when woken, or when the service is asked to stop. */
  sleep(ms: number): Promise<void>;
}

export function openSleeper(stopping: AbortSignal): Sleeper {
  let isWoken = stopping.aborted;
  let end = () => {};
  const wake = () => {
    isWoken = true;
    end();
  };
  stopping.addEventListener("abort", wake, { once: true });
  return {
    wake,
    async sleep(ms) {
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

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Calls `stop` if the process ends before the returned function is called: as it exits, or by a signal
 * that nothing else handles. A terminal keeps what a progress bar has set when its process is killed.
 */
export function stopWithProcess(stop: () => void): () => void {
  const handled = new Set(SIGNALS.filter((signal) => process.listenerCount(signal) > 0));
  const onSignal = (signal: (typeof SIGNALS)[number]) => {
    // Another listener, which may be gone after its first signal, decides what happens.
    if (handled.delete(signal) || process.listenerCount(signal) > 1) return;
    release();
    stop();
    process.kill(process.pid, signal);
  };
  const release = () => {
    process.off("exit", stop);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
  process.on("exit", stop);
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return release;
}

import { Worker } from "node:worker_threads";

/** Silent ticks in a row after which the process ends. A pause of the whole process counts as one. */
const TICKS = 20;

/** What the watching thread is given. */
interface Watched {
  /** Counts up as long as the event loop turns. */
  readonly beats: Int32Array;
  readonly tickMs: number;
  readonly ticks: number;
  /** The log line, whose `time` and `stack` are added, and the descriptor to write it to. */
  readonly line: Readonly<Record<string, unknown>>;
  readonly descriptor: number;
}

/**
 * Ends this process with SIGKILL, after a log line that shows where it was, when its event loop stands
 * still for `limitMs`: nothing else in it could, not even SIGTERM. Time is counted in ticks of a thread of
 * this process, so a process that was stopped (SIGSTOP, a suspended machine) goes on. 0: no watchdog.
 */
export function startWatchdog(
  service: string,
  limitMs: number,
  descriptor: 1 | 2 = 1,
): { stop(): Promise<void> } {
  if (limitMs === 0) return { stop: async () => undefined };
  const beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const tickMs = limitMs / TICKS;
  const msg = `the event loop stood still for ${limitMs / 1000} s: the process ends, to be restarted`;
  const line = { level: "fatal", service, msg };
  const watched: Watched = { beats, tickMs, ticks: TICKS, line, descriptor };
  // Plain code needs no loader, which would cost the thread more than all else.
  const worker = new Worker(`(${watch.toString()})()`, {
    eval: true,
    workerData: watched,
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 },
  });
  worker.unref();
  // If the watching thread fails, the process goes on unwatched.
  worker.on("error", () => undefined);
  const timer = setInterval(() => Atomics.add(beats, 0, 1), tickMs);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await worker.terminate();
    },
  };
}

/** The watching thread: it is started from this function's text, and sees nothing outside of it. */
function watch(): void {
  const { workerData } = process.getBuiltinModule("node:worker_threads");
  const { beats, tickMs, ticks, line, descriptor } = workerData as Watched;
  let last = -1;
  let silent = 0;
  const timer = setInterval(() => {
    const beat = Atomics.load(beats, 0);
    silent = beat === last ? silent + 1 : 0;
    last = beat;
    if (silent < ticks) return;
    clearInterval(timer);
    findStack();
  }, tickMs);

  /** Pauses the main thread to read its stack. In native code it never pauses, hence the timeout. */
  function findStack(): void {
    setTimeout(() => end([]), 2_000);
    const session = new (process.getBuiltinModule("node:inspector").Session)();
    session.connectToMainThread();
    const urls = new Map<string, string>();
    session.on("Debugger.scriptParsed", ({ params }) => urls.set(params.scriptId, params.url));
    session.on("Debugger.paused", ({ params }) => {
      end(
        params.callFrames.map(
          ({ functionName, location }) =>
            `${functionName || "(anonymous)"} (${urls.get(location.scriptId)}:${location.lineNumber + 1})`,
        ),
      );
    });
    session.post("Debugger.enable", () => session.post("Debugger.pause"));
  }

  function end(stack: readonly string[]): void {
    const text = JSON.stringify({
      ...line,
      time: new Date().toISOString(),
      stack: stack.slice(0, 20),
    });
    try {
      process.getBuiltinModule("node:fs").writeSync(descriptor, `${text}\n`);
    } finally {
      process.kill(process.pid, "SIGKILL");
    }
  }
}

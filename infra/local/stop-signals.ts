import { stopAllChildren } from "./child-process.ts";
import type { Stack } from "./stack.ts";
import type { Supervision } from "./supervise-services.ts";

/** What has been started so far; a stop may be asked for at any moment. */
export interface Running {
  stack?: Stack;
  supervision?: Supervision;
  /** What is supervised apart. */
  beside?: Supervision[];
}

export interface Stopping {
  /** Aborts at the first Ctrl-C, SIGTERM or hang-up, and when `stop` begins. */
  readonly asked: AbortSignal;
  /** Services before what they need; last whatever a start that was broken off has left. */
  stop(): Promise<void>;
}

/** The first signal asks for a stop in good order; another one, or one during it, kills what is left. */
export function stopOnSignals(running: Running, say: (line: string) => void): Stopping {
  const asking = new AbortController();
  const asked = asking.signal;
  const ask = () => asking.abort(new Error("stopped before the end"));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (asked.aborted) void killAll(running);
      ask();
    });
  }
  // A closed terminal takes our output with it; the stop goes on without.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  return {
    asked,
    async stop() {
      if (asked.aborted) say("Stopping. Ctrl-C again kills what still runs.");
      ask();
      await Promise.all(supervised(running).map((one) => one.stop()));
      await running.stack?.stop();
      await stopAllChildren("stop");
    },
  };
}

async function killAll(running: Running): Promise<void> {
  await Promise.all([...supervised(running).map((one) => one.kill()), stopAllChildren("kill")]);
}

function supervised({ supervision, beside = [] }: Running): readonly Supervision[] {
  return supervision === undefined ? beside : [supervision, ...beside];
}

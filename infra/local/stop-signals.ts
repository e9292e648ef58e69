import { stopAllChildren } from "./child-process.ts";
import type { Stack } from "./stack.ts";
import type { Supervision } from "./supervise-services.ts";

/** Everything started so far. A stop may be requested at any moment. */
export interface Running {
  stack?: Stack;
  supervision?: Supervision;
  /** Services supervised separately. */
  beside?: Supervision[];
}

export interface Stopping {
  /** Aborts at the first Ctrl-C, SIGTERM or hang-up, and when `stop` begins. */
  readonly requested: AbortSignal;
  /** Stops services, then servers, then the remains of an interrupted start. */
  stop(): Promise<void>;
}

/** The first signal requests a graceful stop; another one, or one during a stop, kills the rest. */
export function stopOnSignals(running: Running, say: (line: string) => void): Stopping {
  const controller = new AbortController();
  const requested = controller.signal;
  const request = () => controller.abort(new Error("stopped before the end"));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (requested.aborted) void killAll(running);
      request();
    });
  }
  // A closed terminal must not interrupt the stop.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  return {
    requested,
    async stop() {
      if (requested.aborted) say("Stopping. Press Ctrl-C again to kill what is still running.");
      request();
      await Promise.all(supervised(running).map((each) => each.stop()));
      await running.stack?.stop();
      await stopAllChildren("stop");
    },
  };
}

async function killAll(running: Running): Promise<void> {
  await Promise.all([...supervised(running).map((each) => each.kill()), stopAllChildren("kill")]);
}

function supervised({ supervision, beside = [] }: Running): readonly Supervision[] {
  return supervision === undefined ? beside : [supervision, ...beside];
}

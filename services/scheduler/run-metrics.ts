import { Counter, Gauge, type Registry } from "prom-client";

/** The runs of the scheduler: what is due, the proof of usage, and deleting what is old. */
const RUNS = ["schedule", "proof", "housekeeping"] as const;
export type RunName = (typeof RUNS)[number];

/** Measures the scheduler's runs. */
export function runMetrics(register: Registry) {
  const of = { labelNames: ["run"] as const, registers: [register] };
  const runs = new Counter({
    ...{ name: "drawdown_scheduler_runs_total", help: "Runs that this process has ended.", ...of },
  });
  const seconds = new Counter({
    ...{ name: "drawdown_scheduler_run_seconds_total", help: "Time that these runs took.", ...of },
  });
  const ended = new Gauge({
    name: "drawdown_scheduler_run_end_timestamp_seconds",
    help: "When the last run ended.",
    ...of,
  });
  // Of a counter that begins with its first increment, Prometheus never sees that one.
  for (const run of RUNS) {
    runs.inc({ run }, 0);
    seconds.inc({ run }, 0);
  }
  return {
    measured: (run: RunName, work: () => Promise<void>) => async () => {
      const from = performance.now();
      try {
        await work();
      } finally {
        runs.inc({ run });
        seconds.inc({ run }, (performance.now() - from) / 1000);
        ended.set({ run }, Date.now() / 1000);
      }
    },
  };
}

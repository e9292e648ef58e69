import { Counter, Gauge, type Registry } from "prom-client";

/** The runs of the scheduler: what is due, the proof of usage, and deleting what is old. */
export type RunName = "schedule" | "proof" | "housekeeping";

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

import type { Metrics } from "../metrics/metrics.ts";
import type { HealthReports } from "./health.ts";

/** Shows what `/readyz` says, check by check. */
export function healthMetrics(metrics: Metrics, { readiness }: Pick<HealthReports, "readiness">) {
  metrics.source("health", async ({ gauge }) => {
    const up = gauge("drawdown_check_up", "1: this check of /readyz is well; 0: it is down.", [
      "check",
    ]);
    for (const [check, problem] of Object.entries(await readiness())) {
      up.set({ check }, Number(problem === null));
    }
  });
}

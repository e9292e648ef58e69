import type { Metrics } from "../../runtime/metrics/metrics.ts";
import type { SkippedRecords } from "../consume/skipped-records.ts";

/** Shows which records a process has skipped. */
export function skippedMetrics(metrics: Metrics, skipped: Pick<SkippedRecords, "counts">): void {
  metrics.source("skipped", ({ counter }) => {
    const records = counter(
      "drawdown_skipped_records_total",
      "Records of billing topics that this process has skipped, since they name no account.",
      ["topic", "reason"],
    );
    for (const { count, ...labels } of skipped.counts()) records.inc(labels, count);
  });
}

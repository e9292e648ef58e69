import type { Metrics } from "../../shared/runtime/metrics/metrics.ts";
import type { lagFollower } from "./follow-lag.ts";

/** Older than this, a look tells nothing any more. */
const FRESH_MS = 30_000;

/** Shows how far the books are behind in each partition. */
export function lagMetrics(
  metrics: Metrics,
  { lookedAt, lags }: Pick<ReturnType<typeof lagFollower>, "lookedAt" | "lags">,
): void {
  metrics.source("lag", ({ gauge }) => {
    const now = Date.now();
    const at = lookedAt();
    if (at === null || now - at > FRESH_MS) throw new Error("Kafka or Postgres was not looked at");
    const events = gauge(
      "drawdown_metering_lag_events",
      "Offsets of usage.events that the books have not read, whichever process meters them.",
      ["partition"],
    );
    const seconds = gauge(
      "drawdown_metering_lag_seconds",
      "For how long the oldest of these has been there; 0: all is read.",
      ["partition"],
    );
    for (const lag of lags(now)) {
      events.set({ partition: lag.partition }, lag.events);
      seconds.set({ partition: lag.partition }, lag.seconds);
    }
  });
}

import { publishedBetween } from "../../shared/kafka/consume/published-between.ts";
import type { BatchSize } from "./batch-size.ts";
import type { TraceBatches } from "./batch-traces.ts";
import type { lagFollower } from "./follow-lag.ts";
import type { Delivery, meterMessages } from "./meter-messages.ts";
import type { meteringMetrics } from "./metering-metrics.ts";

/** Who learns how long transactions take, and how old what they meter is. */
interface Measuring {
  readonly traced: TraceBatches;
  readonly size: BatchSize;
  readonly measured: ReturnType<typeof meteringMetrics>;
  readonly lag: Pick<ReturnType<typeof lagFollower>, "metered">;
}

/** Makes a handler that meters batches as `meter` does, traced, and measures each transaction. */
export function measuredMeter(
  meter: ReturnType<typeof meterMessages>,
  { traced, size, measured, lag }: Measuring,
): (deliveries: readonly Delivery[]) => Promise<bigint[]> {
  return async (deliveries) => {
    const from = performance.now();
    const timeStep = measured.stepTimer();
    const offsets = await traced(deliveries, (trace) =>
      meter(deliveries, {
        ...trace,
        step(step) {
          timeStep(step);
          trace.step?.(step);
        },
      }),
    );
    const tookMs = performance.now() - from;
    const events = deliveries.reduce((sum, { batch }) => sum + batch.count, 0);
    size.took(events, tookMs);
    measured.took(events, tookMs);
    for (const { batch } of deliveries) {
      const published = publishedBetween(batch);
      if (published === null) continue;
      measured.debited(published.first, Date.now());
      lag.metered(batch.partition, published.last);
    }
    return offsets;
  };
}

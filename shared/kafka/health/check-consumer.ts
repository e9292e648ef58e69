import type { Health } from "../../runtime/health/health.ts";
import type { ConsumerWatch } from "../consume/watch-consumer.ts";

/** Checks that a consumer is in its group and reads. */
export function checkConsumer(health: Health, watch: ConsumerWatch): void {
  health.state("group", () =>
    watch.isInGroup() ? null : { reason: "the consumer is not in its group" },
  );
  health.work("consumer", watch.standsForMs);
}

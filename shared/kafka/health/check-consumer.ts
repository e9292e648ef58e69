import type { Health } from "../../runtime/health/health.ts";
import type { ConsumerWatch } from "../consume/watch-consumer.ts";

/** Checks that a consumer is in its group and reads. `of` tells the consumers of a service apart. */
export function checkConsumer(health: Health, watch: ConsumerWatch, of?: string): void {
  const named = (what: string) => (of === undefined ? what : `${what} of ${of}`);
  health.state(named("group"), () =>
    watch.isInGroup() ? null : { reason: "the consumer is not in its group" },
  );
  health.work(named("consumer"), watch.standsForMs);
}

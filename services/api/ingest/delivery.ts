import { PublishFailed, type UsageClient } from "../../../shared/client/usage-client.ts";
import type { UsageEvent } from "../../../shared/core/usage/usage-event.ts";

export interface DeliveryLimits {
  /** The number of usage events that may wait for Kafka, and the total size of their bodies. */
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
  /** How long a request waits for Kafka. */
  readonly withinMs: number;
}

/** Limits what waits for Kafka, including events whose request has timed out. */
export function openDelivery(
  client: Pick<UsageClient, "publish">,
  { maxWaiting, maxWaitingBytes, withinMs }: DeliveryLimits,
  onFailed: (error: PublishFailed) => void,
) {
  let waiting = 0;
  let waitingBytes = 0;

  async function publish(
    events: readonly UsageEvent[],
    bytes: number,
    traceparent: string | null,
  ): Promise<boolean> {
    waiting += events.length;
    waitingBytes += bytes;
    const outcomes = await Promise.allSettled(
      events.map((event) => client.publish(event, { traceparent })),
    );
    waiting -= events.length;
    waitingBytes -= bytes;
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed === undefined) return true;
    if (!(failed.reason instanceof PublishFailed)) throw failed.reason;
    onFailed(failed.reason);
    return false;
  }

  return {
    /** False while no more events can be accepted. */
    hasRoom: () => waiting < maxWaiting && waitingBytes < maxWaitingBytes,
    /**
     * Publishes the events and waits for Kafka to acknowledge them. `no_room`: none was published.
     * `not_in_time`: some may have been published, and others may still be.
     */
    async deliver(
      events: readonly UsageEvent[],
      bytes: number,
      traceparent: string | null,
    ): Promise<"acknowledged" | "no_room" | "not_in_time"> {
      // A batch above the limits is still accepted when nothing waits.
      const fits = waiting + events.length <= maxWaiting && waitingBytes + bytes <= maxWaitingBytes;
      if (waiting > 0 && !fits) return "no_room";
      const late = Promise.withResolvers<boolean>();
      const timer = setTimeout(() => late.resolve(false), withinMs);
      try {
        const isAcknowledged = await Promise.race([
          publish(events, bytes, traceparent),
          late.promise,
        ]);
        return isAcknowledged ? "acknowledged" : "not_in_time";
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

import { PublishFailed, type UsageClient } from "../../../shared/client/usage-client.ts";
import type { UsageEvent } from "../../../shared/core/usage/usage-event.ts";

export interface DeliveryLimits {
  /** How many usage events may wait for Kafka, and how many bytes of the bodies they came in. */
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
  /** How long a request waits for Kafka. */
  readonly withinMs: number;
}

export interface Delivery {
  /** False: nothing more can be taken now. */
  hasRoom(): boolean;
  /**
   * Publishes all of the events and waits for Kafka to have them. `no_room`: none was published.
   * `not_in_time`: some may be there, and others may still arrive.
   */
  deliver(
    events: readonly UsageEvent[],
    bytes: number,
  ): Promise<"acknowledged" | "no_room" | "not_in_time">;
}

/** Delivers usage by a client, and knows how much of it waits: also what nobody waits for any more. */
export function openDelivery(
  client: Pick<UsageClient, "publish">,
  { maxWaiting, maxWaitingBytes, withinMs }: DeliveryLimits,
  onFailed: (error: PublishFailed) => void,
): Delivery {
  let waiting = 0;
  let waitingBytes = 0;

  async function publish(events: readonly UsageEvent[], bytes: number): Promise<boolean> {
    waiting += events.length;
    waitingBytes += bytes;
    const outcomes = await Promise.allSettled(events.map((event) => client.publish(event)));
    waiting -= events.length;
    waitingBytes -= bytes;
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed === undefined) return true;
    if (!(failed.reason instanceof PublishFailed)) throw failed.reason;
    onFailed(failed.reason);
    return false;
  }

  return {
    hasRoom: () => waiting < maxWaiting && waitingBytes < maxWaitingBytes,
    async deliver(events, bytes) {
      // A batch that is larger than all the room there is gets through when nothing waits.
      const fits = waiting + events.length <= maxWaiting && waitingBytes + bytes <= maxWaitingBytes;
      if (waiting > 0 && !fits) return "no_room";
      const late = Promise.withResolvers<boolean>();
      const timer = setTimeout(() => late.resolve(false), withinMs);
      try {
        const isThere = await Promise.race([publish(events, bytes), late.promise]);
        return isThere ? "acknowledged" : "not_in_time";
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

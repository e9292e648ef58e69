import type { Consumer } from "kafkajs";
import { type WorkInHand, workInHand } from "../../runtime/health/work-in-hand.ts";

/** Whether a consumer reads. */
export interface ConsumerWatch {
  /** The batches that are being handled. */
  readonly batches: WorkInHand;
  isInGroup(): boolean;
  /** For how many milliseconds it has neither fetched nor moved on with a batch in hand. */
  standsForMs(): number;
}

export function watchConsumer(consumer: Consumer): ConsumerWatch {
  const { GROUP_JOIN, HEARTBEAT, FETCH_START, FETCH } = consumer.events;
  const { REBALANCING, CRASH, STOP, DISCONNECT } = consumer.events;
  const batches = workInHand();
  let isInGroup = false;
  let seenAt = performance.now();
  for (const event of [GROUP_JOIN, HEARTBEAT, FETCH_START, FETCH] as const) {
    consumer.on(event, () => {
      seenAt = performance.now();
      // When a group moves to another broker, a member may remain one without joining again.
      if (event === GROUP_JOIN || event === HEARTBEAT) isInGroup = true;
    });
  }
  for (const event of [REBALANCING, CRASH, STOP, DISCONNECT] as const) {
    consumer.on(event, () => {
      isInGroup = false;
    });
  }
  return {
    batches,
    isInGroup: () => isInGroup,
    standsForMs: () => Math.max(batches.standsForMs(), performance.now() - seenAt),
  };
}

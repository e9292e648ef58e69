import type { Kafka } from "kafkajs";
import { patchConnections } from "./patch-connections.ts";

/** The requests of a connection that wait until the broker accepts more. */
export interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

/**
 * Stops the polling of idle connections of this client. KafkaJS (2.2.4) checks each connection's queue
 * every millisecond, although that matters only while a broker throttles it, and does so by a timer with
 * a negative delay, about which Node 24 warns. Other clients in the process are not affected.
 */
export function restIdleQueues(kafka: Kafka): void {
  patchConnections<{ readonly requestQueue: RequestQueue }>(kafka, (toBroker) => {
    for (const { requestQueue } of toBroker) restWhileIdle(requestQueue);
  });
}

/** Checks the queue only while requests wait in it. */
export function restWhileIdle(queue: RequestQueue): void {
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length === 0 || queue.throttleCheckTimeoutId !== null) return;
    const waitMs = Math.max(10, queue.throttledUntil - Date.now());
    queue.throttleCheckTimeoutId = setTimeout(() => {
      queue.throttleCheckTimeoutId = null;
      queue.checkPendingRequests();
    }, waitMs);
  };
}

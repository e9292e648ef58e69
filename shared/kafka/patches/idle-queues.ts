import type { Kafka } from "kafkajs";

/** The requests of a connection that wait until the broker accepts more. */
export interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

/** How a producer, consumer or admin client connects to brokers. */
interface Cluster {
  readonly connectionPoolBuilder: {
    build(broker?: unknown): Promise<{ readonly pool: readonly { requestQueue: RequestQueue }[] }>;
  };
}

/**
 * Stops the polling of idle connections of this client. KafkaJS (2.2.4) checks each connection's queue
 * every millisecond, although that matters only while a broker throttles it, and does so by a timer with
 * a negative delay, about which Node 24 warns. Other clients in the process are not affected.
 */
export function restIdleQueues(kafka: Kafka): void {
  const createCluster = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === "private:Kafka:createCluster",
  );
  if (createCluster === undefined) return;
  const create: (options: unknown) => Cluster = Reflect.get(kafka, createCluster);
  Reflect.set(kafka, createCluster, (options: unknown) => {
    const cluster = create(options);
    const { build } = cluster.connectionPoolBuilder;
    cluster.connectionPoolBuilder.build = async (broker) => {
      const connections = await build(broker);
      for (const { requestQueue } of connections.pool) restWhileIdle(requestQueue);
      return connections;
    };
    return cluster;
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

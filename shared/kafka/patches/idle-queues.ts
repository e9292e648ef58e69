import type { Kafka } from "kafkajs";

/** What KafkaJS keeps for a connection: the requests that wait until the broker takes more. */
export interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

/** What a producer, consumer or admin client reaches its brokers by. */
interface Cluster {
  readonly connectionPoolBuilder: {
    build(broker?: unknown): Promise<{ readonly pool: readonly { requestQueue: RequestQueue }[] }>;
  };
}

/**
 * Lets the connections of this client rest while they have nothing to send. KafkaJS (2.2.4) looks at
 * each connection's queue every millisecond, though that matters only while a broker throttles it, by
 * a timer with a negative delay, of which Node 24 warns. Other clients of the process stay as they are.
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

/** Looks at the queue again only while something waits in it. */
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

import type { Kafka } from "kafkajs";

/** How a producer, consumer or admin client connects to brokers. */
interface Cluster<C> {
  readonly connectionPoolBuilder: {
    build(broker?: unknown): Promise<{ readonly pool: readonly C[] }>;
  };
}

/** Calls `patch` with the connections to each broker, before they connect. Of this client only. */
export function patchConnections<C>(kafka: Kafka, patch: (toBroker: readonly C[]) => void): void {
  const createCluster = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === "private:Kafka:createCluster",
  );
  if (createCluster === undefined) return;
  const create: (options: unknown) => Cluster<C> = Reflect.get(kafka, createCluster);
  Reflect.set(kafka, createCluster, (options: unknown) => {
    const cluster = create(options);
    const { build } = cluster.connectionPoolBuilder;
    cluster.connectionPoolBuilder.build = async (broker) => {
      const connections = await build(broker);
      patch(connections.pool);
      return connections;
    };
    return cluster;
  });
}

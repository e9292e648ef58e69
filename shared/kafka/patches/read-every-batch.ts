import type { Consumer, ConsumerConfig, Kafka } from "kafkajs";
import { fetchDecoder, READABLE_VERSIONS } from "../records/fetch-response.ts";
import type { HandMessages } from "../records/handed-messages.ts";
import { READ_LIMITS } from "../records/read-batch.ts";

/** A request as KafkaJS's connections take it. */
interface Protocol {
  readonly request: { readonly apiKey: number; readonly apiVersion: number };
  readonly response: { decode(bytes: Buffer): Promise<unknown> };
}

/** How a consumer connects to brokers. */
interface Cluster {
  readonly connectionPoolBuilder: {
    build(broker?: unknown): Promise<{ send(protocol: Protocol): Promise<unknown> }>;
  };
}

const FETCH = 1;
/**
 * A partition that is added is read at most this much later, and the time to join the group again: by
 * KafkaJS's default, 5 minutes. Costs a consumer a small request in as much time.
 */
const METADATA_MAX_AGE_MS = 15_000;

/**
 * A consumer that reads batches of each of Kafka's compressions, and gets past batches that cannot be
 * read. KafkaJS (2.2.4) knows gzip only, unpacks without a limit, and throws away a whole response for one
 * batch that it cannot read, again after each restart. A refused batch is logged; its consumer receives one
 * message without a key in its place, at the batch's last offset (`refusalOf`). Other consumers of the same
 * client, and of the process, are not affected. `hand`: with `wholeBatch`, it receives one message a batch.
 */
export function openConsumer(kafka: Kafka, options: ConsumerConfig, hand?: HandMessages): Consumer {
  const createCluster = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === "private:Kafka:createCluster",
  );
  if (createCluster === undefined)
    throw new Error("this version of KafkaJS connects in another way");
  const create: (options: unknown) => Cluster = Reflect.get(kafka, createCluster);
  const ours: Kafka = Object.create(kafka, {
    [createCluster]: { value: (options: unknown) => readEveryBatch(create(options), kafka, hand) },
  });
  return ours.consumer({ metadataMaxAge: METADATA_MAX_AGE_MS, ...options });
}

function readEveryBatch(cluster: Cluster, kafka: Kafka, hand?: HandMessages): Cluster {
  const { build } = cluster.connectionPoolBuilder;
  cluster.connectionPoolBuilder.build = async (broker) => {
    const connections = await build(broker);
    const send = connections.send.bind(connections);
    const decode = fetchDecoder(
      READ_LIMITS,
      ({ refusal, ...place }) => kafka.logger().error(refusal, place),
      hand,
    );
    connections.send = ({ request, response, ...rest }) => {
      const version = request.apiVersion;
      const isReadable =
        request.apiKey === FETCH &&
        version >= READABLE_VERSIONS.from &&
        version <= READABLE_VERSIONS.to;
      const read = isReadable
        ? { ...response, decode: (bytes: Buffer) => decode(bytes, version) }
        : response;
      return send({ ...rest, request, response: read });
    };
    return connections;
  };
  return cluster;
}

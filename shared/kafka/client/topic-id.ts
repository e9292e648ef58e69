import type { Kafka } from "kafkajs";

/** How KafkaJS (2.2.4) sends requests. Those of its own stop at version 6 of Metadata, and ids came with 10. */
interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  readonly brokerPool: {
    readonly seedBroker: { readonly connectionPool: { send(sent: object): Promise<unknown> } };
  };
}

const METADATA = 3;
const VERSION = 12;
const UNKNOWN_TOPIC = 3;
const ID_BYTES = 16;

/** Asks for the ids of topics over a connection of its own. */
export interface TopicIds {
  /** A topic's id, a UUID that no other topic of any name has, also once it is deleted; null: there is none. */
  read(topic: string): Promise<string | null>;
  close(): Promise<void>;
}

export function openTopicIds(kafka: Kafka): TopicIds {
  const create = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === "private:Kafka:createCluster",
  );
  if (create === undefined) throw new Error("KafkaJS has another way to connect");
  const cluster: Cluster = Reflect.get(kafka, create)({});
  return {
    async read(topic) {
      await cluster.connect();
      const answer = await cluster.brokerPool.seedBroker.connectionPool.send({
        request: {
          ...{ apiKey: METADATA, apiVersion: VERSION, apiName: "Metadata" },
          encode: async () => encoded(topicRequest(topic)),
        },
        response: { decode: async (bytes: Buffer) => bytes, parse: async (bytes: Buffer) => bytes },
      });
      return idOf(topic, answer as Buffer);
    },
    close: () => cluster.disconnect(),
  };
}

/** Asks once. */
export async function readTopicId(kafka: Kafka, topic: string): Promise<string | null> {
  const ids = openTopicIds(kafka);
  try {
    return await ids.read(topic);
  } finally {
    await ids.close();
  }
}

/** In the form of KafkaJS's encoders. */
function encoded(buffer: Buffer) {
  return { buf: buffer, buffer, size: () => buffer.length };
}

/** The rest of the header, and the body. Source: Kafka's MetadataRequest.json, version 12, "flexible". */
function topicRequest(topic: string): Buffer {
  const name = Buffer.from(topic);
  return Buffer.concat([
    Buffer.from([0]), // no tagged fields in the header
    Buffer.from([2]), // an array of one
    Buffer.alloc(ID_BYTES), // asked by name
    unsigned(name.length + 1),
    name,
    Buffer.from([0, 0, 0, 0]), // no tags; make no topic; no operations; no tags
  ]);
}

/** Source: Kafka's MetadataResponse.json, version 12. Throws where it does not have the topic that was asked for. */
function idOf(topic: string, bytes: Buffer): string | null {
  const fields = readerOf(bytes);
  fields.skipTags();
  fields.skip(4); // how long to wait
  for (let brokers = fields.count(); brokers > 0; brokers -= 1) {
    fields.skip(4);
    fields.text();
    fields.skip(4);
    fields.text();
    fields.skipTags();
  }
  fields.text(); // the cluster's id
  fields.skip(4); // its controller
  const topics = fields.count();
  const code = fields.int16();
  const name = fields.text();
  if (topics !== 1 || name !== topic) throw new Error(`Kafka answers about ${name}, not ${topic}`);
  if (code === UNKNOWN_TOPIC) return null;
  if (code !== 0) throw new Error(`Kafka does not tell the id of ${topic}: error ${code}`);
  return fields.uuid();
}

function readerOf(bytes: Buffer) {
  let at = 0;
  const skip = (length: number) => {
    at += length;
  };
  const count = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes.readUInt8(at);
      at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  const slice = (length: number) => {
    skip(length);
    return bytes.subarray(at - length, at);
  };
  return {
    skip,
    int16: () => slice(2).readInt16BE(),
    /** The number of items of an array, which is written with one more. */
    count: () => count() - 1,
    text: () => slice(Math.max(0, count() - 1)).toString(),
    uuid: () => slice(ID_BYTES).toString("hex"),
    skipTags() {
      for (let tags = count(); tags > 0; tags -= 1) {
        count();
        skip(count());
      }
    },
  };
}

function unsigned(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  while (left >= 0x80) {
    bytes.push((left & 0x7f) | 0x80);
    left >>>= 7;
  }
  return Buffer.from([...bytes, left]);
}

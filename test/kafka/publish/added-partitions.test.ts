/** Partitions are added while Kafka has a request that it does not answer. */
import { randomBytes } from "node:crypto";
import type { Admin } from "kafkajs";
import { afterEach, expect, test } from "vitest";
import { quickPartitioner } from "../../../shared/kafka/patches/quick-partitions.ts";
import { openPublisher, type Publisher } from "../../../shared/kafka/publish/publisher.ts";
import { eventually } from "../../support/eventually.ts";
import { testKafka } from "../../support/kafka/kafka.ts";
import { type KafkaProxy, openKafkaProxy } from "../../support/processes/kafka-proxy.ts";

const topic = `added-partitions-${randomBytes(4).toString("hex")}`;
const registry = { register: () => Promise.reject(new Error("nothing here has a schema")) };
const opened = new AsyncDisposableStack();

afterEach(() => opened.disposeAsync());

test("what was acknowledged is all on the topic", { timeout: 60_000 }, async () => {
  const { admin, proxy, publisher } = await open();
  const publish = (key: string, value: string) =>
    publisher.publish([{ topic, key, value: Buffer.from(value), headers: {} }]);
  const stays = keyOnPartition(0);
  const moves = keyOnPartition(1);

  await publish(stays, "before");
  proxy.withholdAnswers();
  const unanswered = publish(moves, "unanswered");
  await eventually("Kafka has it", async () => {
    const [only] = await admin.fetchTopicOffsets(topic);
    return only?.high === "2";
  });
  await admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] });
  await unanswered;
  await publish(stays, "behind it");

  expect(await valuesOf(3)).toEqual(["before", "unanswered", "behind it"]);
});

/** A topic of one partition, and an idempotent publisher whose connections are through a proxy. */
async function open(): Promise<{ admin: Admin; proxy: KafkaProxy; publisher: Publisher }> {
  const [address = ""] = (process.env["KAFKA_BROKERS"] ?? "").split(",");
  const admin = testKafka().admin();
  await admin.connect();
  opened.defer(() => admin.disconnect());
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });
  const proxy = await openKafkaProxy(address);
  opened.defer(() => proxy.close());
  const through = testKafka({ ...process.env, KAFKA_BROKERS: proxy.broker });
  const publisher = openPublisher(through, registry);
  opened.defer(() => publisher.close());
  return { admin, proxy, publisher };
}

/** A key that is on this partition once there are two. */
function keyOnPartition(wanted: number): string {
  const partitionMetadata = [0, 1].map((partitionId) => ({
    ...{ partitionId, leader: 1, partitionErrorCode: 0 },
    ...{ replicas: [1], isr: [1], offlineReplicas: [] },
  }));
  const partitionOf = quickPartitioner();
  const isWanted = (key: string) =>
    partitionOf({ topic, partitionMetadata, message: { key, value: null } }) === wanted;
  const key = ["a", "b", "c", "d", "e", "f", "g", "h"].find(isWanted);
  if (key === undefined) throw new Error(`none of the keys is on partition ${wanted}`);
  return key;
}

/** The first `count` messages of the topic. */
async function valuesOf(count: number): Promise<string[]> {
  const values: string[] = [];
  const consumer = testKafka().consumer({ groupId: topic, maxWaitTimeInMs: 100 });
  await consumer.connect();
  opened.defer(() => consumer.disconnect());
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      values.push(String(message.value));
    },
  });
  await eventually(`${count} messages are on the topic`, () => values.length >= count).catch(
    (error: Error) => {
      throw new Error(`${error.message}; these are: ${values.join(", ")}`);
    },
  );
  return values;
}

/** If the test of KafkaJS itself fails, KafkaJS has fixed this, and the patch can be removed. */
import kafkajs, { type Admin, type Kafka } from "kafkajs";
import { afterEach, expect, test } from "vitest";
import { dropSilent } from "../../../shared/kafka/patches/drop-silent.ts";
import { openKafkaProxy } from "../../support/processes/kafka-proxy.ts";

let opened = new AsyncDisposableStack();

afterEach(async () => {
  await opened.disposeAsync();
  opened = new AsyncDisposableStack();
});

/** What KafkaJS says of no answer: of a request, or of all that it has tried in its time. */
const NO_ANSWER = /timed out|of null \(reading 'topicMetadata'\)/;

test("KafkaJS itself sends one request after the other on the connection that went silent", async () => {
  const { admin } = await swallowed(() => undefined);
  for (let tries = 0; tries < 3; tries += 1) {
    await expect(admin.fetchTopicMetadata()).rejects.toThrow(NO_ANSWER);
  }
});

test("ours connects anew after the first one", async () => {
  const { admin } = await swallowed(dropSilent);
  await expect(admin.fetchTopicMetadata()).rejects.toThrow(NO_ANSWER);
  const { topics } = await admin.fetchTopicMetadata();
  expect(topics.length).toBeGreaterThan(0);
});

/** A client whose connections went silent. */
async function swallowed(patch: (kafka: Kafka) => void): Promise<{ readonly admin: Admin }> {
  const [address = ""] = (process.env["KAFKA_BROKERS"] ?? "").split(",");
  const { broker, ...proxy } = await openKafkaProxy(address);
  opened.defer(proxy.close);
  const kafka = new kafkajs.Kafka({
    brokers: [broker],
    requestTimeout: 300,
    retry: { initialRetryTime: 50, retries: 3 },
    logLevel: kafkajs.logLevel.NOTHING,
  });
  patch(kafka);
  const admin = kafka.admin();
  await admin.connect();
  opened.defer(() => admin.disconnect());
  await admin.listTopics();
  expect(proxy.swallow()).toBeGreaterThan(0);
  return { admin };
}

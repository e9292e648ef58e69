import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTopicIds } from "../../../shared/kafka/client/topic-id.ts";
import { eventually } from "../../support/eventually.ts";
import { testKafka } from "../../support/kafka/kafka.ts";

const kafka = testKafka();
const admin = kafka.admin();
const ids = openTopicIds(kafka);

beforeAll(() => admin.connect());
afterAll(async () => {
  await ids.close();
  await admin.disconnect();
});

/** Brokers learn of a topic a moment after it is made. */
async function idOf(topic: string, not: string | null = null): Promise<string> {
  let id: string | null = null;
  await eventually("the broker knows the topic", async () => {
    id = await ids.read(topic);
    return id !== null && id !== not;
  });
  return id ?? "";
}

test("a topic keeps its id, and one made anew under its name has another", async () => {
  const topic = `named-${randomUUID()}`;
  expect(await ids.read(topic)).toBeNull();
  await admin.createTopics({ topics: [{ topic, numPartitions: 3 }] });
  const first = await idOf(topic);
  expect(first).toMatch(/^[0-9a-f]{32}$/);
  expect(await ids.read(topic)).toBe(first);
  await admin.deleteTopics({ topics: [topic] });
  await eventually("the topic is gone", async () => (await ids.read(topic)) === null);
  await admin.createTopics({ topics: [{ topic, numPartitions: 3 }] });
  expect(await idOf(topic, first)).not.toBe(first);
});

test("a topic with a long name has one, too", async () => {
  const topic = `named-${randomUUID()}-${"x".repeat(180)}`;
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });
  expect(await idOf(topic)).toMatch(/^[0-9a-f]{32}$/);
  await admin.deleteTopics({ topics: [topic] });
});

import kafkajs, { type Admin } from "kafkajs";
import { expect, test, vi } from "vitest";
import { createTopics } from "../../../infra/kafka/create-topics.ts";

/** What a broker answers that has not learned of a topic, or of its leader. */
const unknown = new kafkajs.KafkaJSError("unknown topic", { retriable: true });
const refused = new kafkajs.KafkaJSError("no rights", { retriable: false });

test("waits until a broker knows the topics that were just created", async () => {
  const { admin, fetchTopicMetadata } = adminThatFails(unknown, unknown);
  const created = await createTopics(admin, { usagePartitions: 1, replication: 1, guest: null });
  expect(created).toContain("usage.events");
  expect(fetchTopicMetadata).toHaveBeenCalledTimes(3);
  expect(fetchTopicMetadata).toHaveBeenLastCalledWith({ topics: created });
});

test("does not wait where asking is refused", async () => {
  const { admin } = adminThatFails(refused);
  const creating = createTopics(admin, { usagePartitions: 1, replication: 1, guest: null });
  await expect(creating).rejects.toThrow("no rights");
});

function adminThatFails(...errors: Error[]) {
  const fetchTopicMetadata = vi.fn(async () => {
    const error = errors.shift();
    if (error !== undefined) throw error;
    return { topics: [] };
  });
  // KafkaJS asks for metadata itself when it is to wait for leaders.
  const createTopics: Admin["createTopics"] = async ({ waitForLeaders = true }) => {
    if (waitForLeaders) await fetchTopicMetadata();
    return true;
  };
  const admin: Partial<Admin> = { listTopics: async () => [], createTopics, fetchTopicMetadata };
  return { admin: admin as Admin, fetchTopicMetadata };
}

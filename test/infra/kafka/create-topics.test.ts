import kafkajs, { type Admin } from "kafkajs";
import { describe, expect, test, vi } from "vitest";
import { createTopics } from "../../../infra/kafka/create-topics.ts";

/** What a broker answers that has not learned of a topic, or of its leader. */
const unknown = new kafkajs.KafkaJSError("unknown topic", { retriable: true });
const refused = new kafkajs.KafkaJSError("no rights", { retriable: false });

const SETTINGS = { usagePartitions: 1, replication: 1, guest: null };

test("waits until a broker knows the topics that were just created", async () => {
  const { admin, fetchTopicMetadata } = adminThatFails(unknown, unknown);
  const { created, unfit } = await createTopics(admin, SETTINGS);
  expect(unfit).toEqual([]);
  expect(created).toContain("usage.events");
  expect(fetchTopicMetadata).toHaveBeenCalledTimes(3);
  expect(fetchTopicMetadata).toHaveBeenLastCalledWith({ topics: created });
});

test("does not wait where asking is refused", async () => {
  const { admin } = adminThatFails(refused);
  const creating = createTopics(admin, SETTINGS);
  await expect(creating).rejects.toThrow("no rights");
});

describe("of topics that were there, as a broker makes them by itself, says what loses records:", () => {
  const days = (count: number) => String(count * 24 * 60 * 60 * 1000);
  const FIT = { "cleanup.policy": "delete", "retention.ms": days(40), "retention.bytes": "-1" };

  test.each<{ topic: string; set: Record<string, string>; says: string | null }>([
    { topic: "usage.events", set: {}, says: null },
    { topic: "usage.events", set: { "retention.ms": "-1" }, says: null },
    { topic: "usage.events", set: { "retention.ms": days(60) }, says: null },
    {
      topic: "usage.events",
      set: { "retention.ms": days(7), "cleanup.policy": "compact" },
      says: "cleanup.policy is compact, not delete; retention.ms is 604800000, not 3456000000.",
    },
    {
      topic: "billing.credits",
      set: { "retention.bytes": "1073741824" },
      says: "retention.bytes is 1073741824, not -1.",
    },
    { topic: "billing.balances", set: {}, says: "cleanup.policy is delete, not compact." },
    {
      topic: "usage.dead-letters",
      set: { "max.message.bytes": "1048588" },
      says: "max.message.bytes is 1048588, not 3145728.",
    },
  ])("$topic with $set", async ({ topic, set, says }) => {
    const admin = adminOf(topic, async () => ({ ...FIT, ...set }));
    const { unfit } = await createTopics(admin, SETTINGS);
    const sentence = expect.stringContaining(`${topic} is not as set-up makes it: ${says}`);
    expect(unfit).toEqual(says === null ? [] : [sentence]);
  });

  test("or that nobody may look", async () => {
    const admin = adminOf("usage.events", async () => {
      throw refused;
    });
    const { unfit } = await createTopics(admin, SETTINGS);
    expect(unfit).toEqual([expect.stringMatching(/cannot be compared .*no rights/)]);
  });

  /** Of a cluster that has one topic, with these settings. */
  function adminOf(topic: string, read: () => Promise<Record<string, string>>): Admin {
    const describeConfigs = async () => {
      const set = Object.entries(await read());
      const configEntries = set.map(([configName, configValue]) => ({ configName, configValue }));
      return { resources: [{ resourceName: topic, configEntries }], throttleTime: 0 };
    };
    const { admin } = adminThatFails();
    const listTopics = async () => [topic];
    return { ...admin, listTopics, describeConfigs: describeConfigs as never };
  }
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

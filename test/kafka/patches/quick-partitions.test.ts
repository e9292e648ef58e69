/**
 * If the tests of KafkaJS itself fail, KafkaJS groups otherwise, and `quicklyGrouped` may go.
 */
import { createRequire } from "node:module";
import fc from "fast-check";
import kafkajs, { type Message, type PartitionMetadata } from "kafkajs";
import { expect, test } from "vitest";
import {
  quicklyGrouped,
  quickPartitioner,
} from "../../../shared/kafka/patches/quick-partitions.ts";

type Groups = Record<string, Message[]>;

const groupOfKafka: (sending: {
  readonly topic: string;
  readonly partitionMetadata: readonly PartitionMetadata[];
  readonly messages: readonly Message[];
  readonly partitioner: ReturnType<typeof quickPartitioner>;
}) => Groups = createRequire(import.meta.url)("kafkajs/src/producer/groupMessagesPerPartition.js");
const topic = "usage";
const messages = Array.from({ length: 1_000 }, (_, at) => ({ key: `account-${at}`, value: null }));

test("a key has the partition that KafkaJS, and so Kafka, gives it", () => {
  const bytes = fc.uint8Array({ maxLength: 40 }).map((content) => Buffer.from(content));
  const key = fc.oneof(fc.string({ unit: "binary", maxLength: 40 }), bytes);
  const usual = kafkajs.Partitioners.DefaultPartitioner();
  const ours = quickPartitioner();
  fc.assert(
    fc.property(key, fc.integer({ min: 1, max: 64 }), (of, partitions) => {
      const partitionMetadata = metadataOf(partitions);
      const sending = { topic, partitionMetadata, message: { key: of, value: null } };
      expect(ours(sending)).toBe(usual(sending));
    }),
    { numRuns: 1_000 },
  );
});

test("a message that names its partition, or has no key, goes where KafkaJS sends it", () => {
  const partition = quickPartitioner();
  const partitionMetadata = metadataOf(3);
  const named = { key: "acme", value: null, partition: 2 };
  expect(partition({ topic, partitionMetadata, message: named })).toBe(2);
  const keyless = partition({ topic, partitionMetadata, message: { value: null } });
  expect([0, 1, 2]).toContain(keyless);
});

test("KafkaJS makes a new array for each message that it adds to a partition", () => {
  const arrays = new Set<unknown>();
  const watched = Object.assign([...messages], {
    reduce(add: (groups: Groups, message: Message) => Groups, groups: Groups): Groups {
      for (const message of messages) {
        for (const ofPartition of Object.values(add(groups, message))) arrays.add(ofPartition);
      }
      return groups;
    },
  });
  group(watched);
  expect(arrays.size).toBe(messages.length);
});

test("ours are grouped the same", () => {
  expect(group(quicklyGrouped(messages))).toEqual(group(messages));
});

test("KafkaJS gives messages other partitions at the next try, once some were added", () => {
  expect(group(messages, 5)).not.toEqual(group(messages, 4));
});

test("ours keep their partitions at the next try", () => {
  const sent = quicklyGrouped(messages);
  const first = group(sent, 4);
  expect(group(sent, 5)).toEqual(first);
});

function group(sent: readonly Message[], partitions = 4): Groups {
  const partitioner = quickPartitioner();
  const partitionMetadata = metadataOf(partitions);
  return groupOfKafka({ topic, partitionMetadata, messages: sent, partitioner });
}

function metadataOf(partitions: number): PartitionMetadata[] {
  return Array.from({ length: partitions }, (_, partitionId) => ({
    ...{ partitionId, leader: 1, partitionErrorCode: 0 },
    ...{ replicas: [1], isr: [1] },
  }));
}

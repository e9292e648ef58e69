import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Admin, Producer } from "kafkajs";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { MessageBatch } from "../../../shared/kafka/consume/batch-forms.ts";
import { RangeUnreadable, readRanges } from "../../../shared/kafka/consume/read-ranges.ts";
import { eventually } from "../../support/eventually.ts";
import { rawProducer, testKafka } from "../../support/kafka/kafka.ts";

const kafka = testKafka();
const never = new AbortController().signal;
let admin: Admin;
let producer: Producer;
let topic: string;

beforeAll(async () => {
  admin = kafka.admin();
  await admin.connect();
  producer = await rawProducer(kafka);
});

afterAll(async () => {
  await producer.disconnect();
  await admin.disconnect();
});

beforeEach(async () => {
  topic = `read-range-${randomUUID()}`;
  await admin.createTopics({ topics: [{ topic, numPartitions: 3 }] });
  const hasLeaders = () =>
    admin.fetchTopicOffsets(topic).then(
      () => true,
      () => false,
    );
  await eventually("each partition has its leader", hasLeaders, 10_000);
});

test("a range yields each of its messages once, in order, and no others", async () => {
  await send(0, "a", 50);
  await send(1, "b", 50);
  await send(2, "c", 50);
  const { read, handle } = collector();
  await readRanges(kafka, {
    topic,
    ranges: ranges([
      [0, 10n, 40n],
      [2, 0n, 50n],
    ]),
    signal: never,
    onBatch: handle,
  });
  expect(read.get(0)).toEqual(names("a", 10, 40));
  expect(read.get(2)).toEqual(names("c", 0, 50));
  expect(read.has(1)).toBe(false);
});

test("batches of a partition come one at a time, each after the previous one was handled", async () => {
  const inHand = new Map<number, number>();
  for (const partition of [0, 1, 2]) await sendLarge(partition, 20);
  let batches = 0;
  const { read, handle } = collector();
  await readRanges(kafka, {
    topic,
    ranges: ranges([
      [0, 0n, 20n],
      [1, 0n, 20n],
      [2, 0n, 20n],
    ]),
    signal: never,
    async onBatch(batch) {
      batches += 1;
      inHand.set(batch.partition, (inHand.get(batch.partition) ?? 0) + 1);
      await sleep(20);
      expect(inHand.get(batch.partition)).toBe(1);
      inHand.set(batch.partition, 0);
      await handle(batch);
    },
  });
  expect(batches).toBeGreaterThan(3);
  for (const partition of [0, 1, 2]) expect(read.get(partition)).toHaveLength(20);
});

test("a range that ends in offsets without a message ends there", async () => {
  await send(0, "before", 3);
  const transactional = kafka.producer({
    transactionalId: `reads-${randomUUID()}`,
    maxInFlightRequests: 1,
    idempotent: true,
  });
  await transactional.connect();
  for (const end of ["commit", "abort", "abort"] as const) {
    const transaction = await transactional.transaction();
    await transaction.send({ topic, messages: [{ partition: 0, value: end }] });
    await transaction[end]();
  }
  await transactional.disconnect();
  // Each transaction takes an offset for its message and one for its marker, which Kafka writes after
  // it has answered.
  await eventually("the last transaction has ended", async () => (await endOf(0)) === 9n);
  const { read, ends, handle } = collector();
  await readRanges(kafka, {
    topic,
    ranges: ranges([[0, 0n, 9n]]),
    signal: never,
    onBatch: handle,
  });
  expect(read.get(0)).toEqual([...names("before", 0, 3), "commit"]);
  expect(ends.get(0)).toBe(9n);
});

test("nothing is left behind in Kafka: no offsets, no group", async () => {
  await send(0, "a", 5);
  let during: string[] = [];
  await readRanges(kafka, {
    topic,
    ranges: ranges([[0, 0n, 5n]]),
    signal: never,
    async onBatch() {
      during = await groupsReading(topic);
    },
  });
  expect(during).toEqual([expect.stringMatching(/^drawdown-read-/)]);
  const { groups } = await admin.listGroups();
  expect(groups.map(({ groupId }) => groupId)).not.toContain(during[0]);
});

/** Other tests read too. */
async function groupsReading(of: string): Promise<string[]> {
  const { groups } = await admin.listGroups();
  const ids = groups.map(({ groupId }) => groupId).filter((id) => id.startsWith("drawdown-read-"));
  const described = await admin.describeGroups(ids);
  return described.groups
    .filter(({ members }) => members.some((member) => member.memberMetadata.includes(of)))
    .map(({ groupId }) => groupId);
}

test("an empty range reads nothing", async () => {
  await readRanges(kafka, {
    topic,
    ranges: ranges([[0, 7n, 7n]]),
    signal: never,
    onBatch: () => Promise.reject(new Error("nothing was to be read")),
  });
});

test("messages deleted by retention or not yet written are named", async () => {
  await send(0, "a", 10);
  await deleteBefore("4");
  await expect(reading([[0, 0n, 10n]])).rejects.toThrow(`offsets 0 to 3 of ${topic}/0 are gone`);
  await expect(reading([[0, 4n, 11n]])).rejects.toThrow(`${topic}/0 ends at 10, before 11`);
  await expect(reading([[9, 0n, 1n]])).rejects.toThrow(RangeUnreadable);
});

test("messages that retention deletes meanwhile are reported", async () => {
  for (const _ of [1, 2, 3]) await sendLarge(0, 10);
  let isDeleted = false;
  await expect(
    readRanges(kafka, {
      topic,
      ranges: ranges([[0, 0n, 30n]]),
      signal: never,
      async onBatch() {
        if (isDeleted) return;
        isDeleted = true;
        await deleteBefore("29");
      },
    }),
  ).rejects.toThrow("are gone");
});

test("the error of a handler ends the reading", async () => {
  await send(0, "a", 10);
  const handled = readRanges(kafka, {
    topic,
    ranges: ranges([[0, 0n, 10n]]),
    signal: never,
    onBatch: () => Promise.reject(new Error("no room")),
  });
  await expect(handled).rejects.toThrow("no room");
});

test("an abort ends the reading once the current batch is handled", async () => {
  await send(0, "a", 10);
  const stopping = new AbortController();
  let wasHandled = false;
  const handled = readRanges(kafka, {
    topic,
    ranges: ranges([[0, 0n, 10n]]),
    signal: stopping.signal,
    async onBatch() {
      stopping.abort(new Error("interrupted"));
      await admin.fetchTopicOffsets(topic);
      wasHandled = true;
    },
  });
  await expect(handled).rejects.toThrow("interrupted");
  expect(wasHandled).toBe(true);
});

test("a Kafka that stops delivering is reported after a while", async () => {
  for (const _ of [1, 2]) await sendLarge(0, 20);
  const handled = readRanges(kafka, {
    topic,
    ranges: ranges([[0, 0n, 40n]]),
    signal: never,
    silenceMs: 1_000,
    onBatch: () => admin.deleteTopics({ topics: [topic] }).catch(() => undefined),
  });
  await expect(handled).rejects.toThrow(
    new RegExp(`Kafka has returned no messages for 1 s: ${topic}/0 at [0-9]+ of 40`),
  );
});

function reading(of: [number, bigint, bigint][], silenceMs = 30_000): Promise<void> {
  return readRanges(kafka, {
    topic,
    ranges: ranges(of),
    signal: never,
    silenceMs,
    onBatch: async () => undefined,
  });
}

function ranges(of: [number, bigint, bigint][]) {
  return new Map(of.map(([partition, from, to]) => [partition, { from, to }]));
}

function collector() {
  const read = new Map<number, string[]>();
  const ends = new Map<number, bigint>();
  return {
    read,
    ends,
    async handle({ partition, messages, nextOffset }: MessageBatch): Promise<void> {
      const values = messages.map(({ value }) => value?.toString() ?? "");
      read.set(partition, [...(read.get(partition) ?? []), ...values]);
      ends.set(partition, nextOffset);
    },
  };
}

function names(prefix: string, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `${prefix}-${from + i}`);
}

async function send(partition: number, prefix: string, count: number): Promise<void> {
  const messages = names(prefix, 0, count).map((value) => ({ partition, value }));
  await producer.send({ topic, messages });
}

/** One request per message, so that a fetch returns only some of them. */
async function sendLarge(partition: number, count: number): Promise<void> {
  const value = Buffer.alloc(900_000, 1);
  for (let i = 0; i < count; i += 1)
    await producer.send({ topic, messages: [{ partition, value }] });
}

async function deleteBefore(offset: string): Promise<void> {
  // KafkaJS finds the leader only of a topic whose metadata it has loaded.
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset }] });
}

async function endOf(partition: number): Promise<bigint> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return BigInt(offsets.find((known) => known.partition === partition)?.high ?? -1);
}

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import kafkajs, {
  type Admin,
  type Consumer,
  type ConsumerConfig,
  type Kafka,
  type Producer,
} from "kafkajs";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { runBatchConsumer } from "../../../shared/kafka/consume/batch-consumer.ts";
import {
  MESSAGES,
  type MessageBatch,
  RECORDS,
  type RecordsBatch,
} from "../../../shared/kafka/consume/batch-forms.ts";
import { eventually } from "../../support/eventually.ts";
import { rawProducer, testKafka } from "../../support/kafka/kafka.ts";

const kafka = testKafka();
let admin: Admin;
let producer: Producer;
let topic: string;
let groupId: string;

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
  topic = `batch-consumer-${randomUUID()}`;
  groupId = topic;
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });
});

test("batches follow each other without a gap, up to the maximum size", async () => {
  await send(["a", "b", "c", "d", "e"]);
  const handled: MessageBatch[] = [];
  const consumer = await run({ batchSize: 2, handled });
  await eventually("all are handled", () => handled.at(-1)?.nextOffset === 5n);
  await consumer.stop();
  expect(handled.map(valuesOf)).toEqual([["a", "b"], ["c", "d"], ["e"]]);
  expect(handled.map(({ fetchedFrom }) => fetchedFrom)).toEqual([0n, 2n, 4n]);
  await consumer.ended;
});

test("records without an object a message begin at the offset asked for, within a batch", async () => {
  await send(["a", "b", "c", "d", "e"]);
  const handled: RecordsBatch[] = [];
  const consumer = await runBatchConsumer(kafka, {
    ...{ groupId, topic, batchSize: 2, form: RECORDS },
    startAt: async () => new Map([[0, 2n]]),
    async handle(batch) {
      handled.push(batch);
      return batch.nextOffset;
    },
  });
  await sendAborted();
  await eventually("all are handled", () => handled.at(-1)?.nextOffset === 7n);
  await consumer.stop();
  const values = handled.map(({ slices }) =>
    slices.flatMap(({ records, from, to }) =>
      Array.from({ length: to - from }, (_, i) => records.message(from + i).value?.toString()),
    ),
  );
  expect(values.flat()).toEqual(["c", "d", "e"]);
  expect(values.slice(0, 2)).toEqual([["c", "d"], ["e"]]);
  expect(handled[0]?.fetchedFrom).toBe(2n);
});

test("the handler decides where to continue reading", async () => {
  await send(["a", "b", "c", "d"]);
  const handled: MessageBatch[] = [];
  let isFirst = true;
  const consumer = await run({
    batchSize: 2,
    handled,
    next: ({ nextOffset }) => {
      const next = isFirst ? 1n : nextOffset;
      isFirst = false;
      return next;
    },
  });
  await eventually("all are handled", () => handled.at(-1)?.nextOffset === 4n);
  await consumer.stop();
  expect(handled.map(valuesOf)).toEqual([["a", "b"], ["b", "c"], ["d"]]);
});

test("a stored offset that has gone back is read from again, though no message comes; one that has not changes nothing", async () => {
  await send(["a", "b", "c"]);
  const handled: MessageBatch[] = [];
  const consumer = await run({ handled });
  await eventually("all are handled", () => handled.at(-1)?.nextOffset === 3n);
  await consumer.goBack(async () => new Map([[0, 3n]]));
  await consumer.goBack(async () => new Map([[1, 0n]]));
  await consumer.goBack(async () => new Map([[0, 1n]]));
  await eventually("they are handled again", () => handled[1]?.nextOffset === 3n);
  await consumer.stop();
  expect(handled.map(valuesOf)).toEqual([
    ["a", "b", "c"],
    ["b", "c"],
  ]);
});

test("offsets without a message are handed over when they end the topic", async () => {
  await send(["a"]);
  await sendAborted();
  const handled: MessageBatch[] = [];
  const consumer = await run({ handled });
  await eventually("the end is read", () => handled.at(-1)?.nextOffset === 3n);
  await consumer.stop();
  expect(handled.flatMap(valuesOf)).toEqual(["a"]);
});

test("a group's committed offset that points elsewhere skips nothing", async () => {
  await send(["a", "b", "c"]);
  await sendAborted();
  await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: "3" }] });
  const handled: MessageBatch[] = [];
  const consumer = await run({
    handled,
    async startAt() {
      // Until this is known, reading starts at the committed offset.
      await sleep(1_000);
      return new Map([[0, 1n]]);
    },
  });
  await eventually("the end is read", () => handled.at(-1)?.nextOffset === 5n);
  await consumer.stop();
  expect(handled.flatMap(valuesOf)).toEqual(["b", "c"]);
  expect(handled[0]?.fetchedFrom).toBe(1n);
});

test("a partition without a known start is read from its first message", async () => {
  await send(["a", "b"]);
  const handled: MessageBatch[] = [];
  const consumer = await run({ handled, startAt: async () => new Map() });
  await eventually("all are handled", () => handled.at(-1)?.nextOffset === 2n);
  await sendAborted();
  await eventually("the end is read", () => handled.at(-1)?.nextOffset === 4n);
  await consumer.stop();
  expect(handled.flatMap(valuesOf)).toEqual(["a", "b"]);
  expect(handled.map(({ fetchedFrom }) => fetchedFrom)).toEqual([0n, 2n]);
});

test("a partition that is added is read within 30 s", async () => {
  const handled: MessageBatch[] = [];
  const consumer = await run({ handled });
  await send(["a"]);
  await eventually("the first partition is read", () => handled.length > 0);
  await admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] });
  const another = await rawProducer(kafka);
  await another.send({ topic, messages: [{ partition: 1, value: "b" }] });
  await another.disconnect();
  const clock = Date.now;
  const later = vi.spyOn(Date, "now").mockImplementation(() => clock() + 20_000);
  onTestFinished(() => later.mockRestore());
  const isRead = () => handled.some(({ partition }) => partition === 1);
  await eventually("the second one is read", isRead, 10_000);
  await consumer.stop();
});

test("offsets are committed to the group, for tools that show lag", async () => {
  await send(["a", "b"]);
  const consumer = await run({ handled: [] });
  await eventually("they are committed", async () => (await committedOffset()) === "2");
  await send(["c"]);
  await eventually("the last ones too", async () => (await committedOffset()) === "3");
  await consumer.stop();
});

test.each(["fails", "does not end"])("a commit that %s holds up no batch", async (how) => {
  const handled: MessageBatch[] = [];
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let commits = 0;
  const faulty = withCommits(() => async () => {
    commits += 1;
    if (how === "fails") throw new Error("the group is gone");
    return ended;
  });
  await send(["a"]);
  const consumer = await run({ handled, kafka: faulty });
  await eventually("a commit is asked for", () => commits > 0);
  await send(["b"]);
  await eventually("the next is handled", () => handled.flatMap(valuesOf).length === 2);
  await send(["c"]);
  await eventually("and the one after it", () => handled.flatMap(valuesOf).length === 3);
  expect(handled.flatMap(valuesOf)).toEqual(["a", "b", "c"]);
  end();
  await consumer.stop();
  await consumer.ended;
});

test("when the group has moved to another broker, it joins there, and commits again", async () => {
  const moved = Object.assign(new kafkajs.KafkaJSError("not the coordinator"), {
    type: "NOT_COORDINATOR_FOR_GROUP",
  });
  let commits = 0;
  let joins = 0;
  const faulty = withCommits((commit) => async (offsets) => {
    commits += 1;
    if (commits > 1) return commit(offsets);
    throw new kafkajs.KafkaJSNumberOfRetriesExceeded(moved, { retryCount: 5, retryTime: 0 });
  });
  await send(["a"]);
  const startAt = async () => new Map([[0, joins++ === 0 ? 0n : 1n]]);
  const handled: MessageBatch[] = [];
  const consumer = await run({ handled, kafka: faulty, startAt });
  await eventually("a commit has failed", () => commits === 1);
  await send(["b"]);
  await eventually("the next is committed", async () => (await committedOffset()) === "2");
  expect(joins).toBe(2);
  expect(handled.flatMap(valuesOf)).toEqual(["a", "b"]);
  await consumer.stop();
  await consumer.ended;
});

test("the error of a handler ends the consumer", async () => {
  await send(["a"]);
  const handled: MessageBatch[] = [];
  const consumer = await run({
    handled,
    next: () => {
      throw new Error("no room");
    },
  });
  await expect(consumer.ended).rejects.toThrow("no room");
  await consumer.stop();
  expect(handled).toHaveLength(1);
});

test("a consumer that KafkaJS gives up has ended: its process must not go on without it", async () => {
  await send(["a"]);
  const consumer = await run({
    handled: [],
    next: () => {
      throw new kafkajs.KafkaJSNonRetriableError("the group is gone");
    },
  });
  await expect(consumer.ended).rejects.toThrow("the group is gone");
  await consumer.stop();
});

function run(options: {
  handled: MessageBatch[];
  batchSize?: number;
  startAt?: () => Promise<ReadonlyMap<number, bigint>>;
  next?: (batch: MessageBatch) => bigint;
  kafka?: Kafka;
}) {
  return runBatchConsumer(options.kafka ?? kafka, {
    groupId,
    topic,
    batchSize: options.batchSize ?? 100,
    form: MESSAGES,
    startAt: options.startAt ?? (async () => new Map([[0, 0n]])),
    async handle(batch) {
      options.handled.push(batch);
      return options.next?.(batch) ?? batch.nextOffset;
    },
  });
}

/** A client of the tests, whose consumers commit offsets in this way. */
function withCommits(
  made: (commit: Consumer["commitOffsets"]) => Consumer["commitOffsets"],
): Kafka {
  const client = testKafka();
  const { consumer } = client;
  return Object.assign(client, {
    consumer(this: Kafka, options: ConsumerConfig) {
      const real = consumer.call(this, options);
      return Object.assign(real, { commitOffsets: made(real.commitOffsets) });
    },
  });
}

async function committedOffset(): Promise<string | undefined> {
  const [ofTopic] = await admin.fetchOffsets({ groupId, topics: [topic] });
  return ofTopic?.partitions[0]?.offset;
}

function valuesOf({ messages }: MessageBatch): string[] {
  return messages.map(({ value }) => value?.toString() ?? "");
}

async function send(values: string[]): Promise<void> {
  await producer.send({ topic, messages: values.map((value) => ({ partition: 0, value })) });
}

/** Takes two offsets, the second for the marker, and gives no message. */
async function sendAborted(): Promise<void> {
  const before = await endOfTopic();
  const transactional = kafka.producer({
    transactionalId: `aborts-${randomUUID()}`,
    maxInFlightRequests: 1,
    idempotent: true,
  });
  await transactional.connect();
  const transaction = await transactional.transaction();
  await transaction.send({ topic, messages: [{ partition: 0, value: "aborted" }] });
  await transaction.abort();
  await transactional.disconnect();
  await eventually("the marker is there", async () => (await endOfTopic()) === before + 2n);
}

async function endOfTopic(): Promise<bigint> {
  const [partition] = await admin.fetchTopicOffsets(topic);
  return BigInt(partition?.high ?? 0);
}

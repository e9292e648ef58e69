import { randomUUID } from "node:crypto";
import kafkajs, { type Admin, type KafkaMessage, type Producer } from "kafkajs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readRanges } from "../../../shared/kafka/consume/read-ranges.ts";
import { refusalOf } from "../../../shared/kafka/records/refused-batch.ts";
import { javaClient, librdkafka } from "../../support/kafka/foreign-producers.ts";
import { rawProducer, testKafka } from "../../support/kafka/kafka.ts";
import { PACK } from "../../support/kafka/pack.ts";
import { sendPacked } from "../../support/kafka/send-packed.ts";

const CODECS = ["gzip", "snappy", "lz4", "zstd"];
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
  await producer?.disconnect();
  await admin?.disconnect();
});

beforeEach(() => {
  topic = `compression-${randomUUID()}`;
});

test.for([
  { name: "librdkafka", open: librdkafka },
  { name: "Kafka's own client for Java", open: javaClient },
])(
  "$name packs with each codec, and all is read",
  { timeout: 240_000 },
  async ({ open }, { skip }) => {
    const publish = await open();
    skip(publish === null, "it cannot be run here");
    await createTopic();
    await publish?.(topic, 2_000, CODECS);
    const messages = await readAll();
    expect(messages.map(({ value }) => value?.toString())).toEqual(
      CODECS.flatMap((codec) => Array.from({ length: 2_000 }, (_, index) => `${codec}-${index}`)),
    );
    expect(messages.every(({ key }) => key?.toString() === "key")).toBe(true);
  },
);

test.each(CODECS)("on a topic with compression.type=%s all is read", async (codec) => {
  await createTopic({ "compression.type": codec });
  const values = Array.from({ length: 2_000 }, (_, index) => `value-${index}`);
  await producer.send({ topic, messages: values.map((value) => ({ value })) });
  expect((await readAll()).map(({ value }) => value?.toString())).toEqual(values);
});

describe("a batch that cannot be unpacked", () => {
  beforeEach(async () => {
    await createTopic();
    const pack = (records: Buffer) => withWrongEnd(PACK.lz4(records));
    const messages = ["a", "b", "c"].map((value) => ({ value }));
    await sendPacked(producer, { topic, messages, codec: "lz4", pack });
    await producer.send({ topic, messages: [{ value: "behind" }] });
  });

  test.each([0n, 1n, 2n])("is one message at its last offset, read from %d on", async (from) => {
    const messages = await readAll(from);
    expect(messages.map(({ offset }) => offset)).toEqual(["2", "3"]);
    expect(refusalOf(messages[0]?.value ?? Buffer.alloc(0))).toMatch(
      /^the batch compressed with lz4 of 3 messages, offsets 0 to 2, cannot be read/,
    );
  });

  test("is not read again when its last offset was", async () => {
    expect((await readAll(3n)).map(({ value }) => value?.toString())).toEqual(["behind"]);
  });
});

test("more than is unpacked at once is read in several fetches, from all partitions", async () => {
  await createTopic({}, 3);
  const value = Buffer.alloc(12 << 20);
  for (const partition of [0, 1, 2, 0, 1, 2, 0, 1, 2]) {
    await producer.send({
      topic,
      messages: [{ partition, value }],
      compression: kafkajs.CompressionTypes.GZIP,
    });
  }
  const messages = await readAll();
  expect(messages.map(({ offset }) => offset).toSorted()).toEqual([..."000111222"]);
  expect(messages.every((message) => message.value?.length === value.length)).toBe(true);
});

async function createTopic(config: Record<string, string> = {}, numPartitions = 1): Promise<void> {
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
  await admin.createTopics({ topics: [{ topic, numPartitions, configEntries }] });
}

/** All messages of the topic, of partition 0 from an offset on. */
async function readAll(from = 0n): Promise<KafkaMessage[]> {
  const read: KafkaMessage[] = [];
  const ends = await admin.fetchTopicOffsets(topic);
  await readRanges(kafka, {
    topic,
    ranges: new Map(
      ends.map(({ partition, high }) => [
        partition,
        { from: partition === 0 ? from : 0n, to: BigInt(high) },
      ]),
    ),
    signal: never,
    async onBatch({ messages }) {
      for (const message of messages) read.push(message);
    },
  });
  return read;
}

/** The broker does not compare the checksum that a frame ends with; a library does. */
function withWrongEnd(frame: Buffer): Buffer {
  frame.writeUInt32LE((frame.readUInt32LE(frame.length - 4) ^ 1) >>> 0, frame.length - 4);
  return frame;
}

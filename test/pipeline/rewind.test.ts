import { randomUUID } from "node:crypto";
import type { Admin } from "kafkajs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { METERING, TOPICS } from "../../shared/core/text/topics.ts";
import { type Books, copyBooks, openAccount, openBooks, setPrice } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import type { Usage } from "../support/books/usage-batches.ts";
import { drawdown } from "../support/cli/drawdown.ts";
import { eventually } from "../support/eventually.ts";
import { dismissMembers } from "../support/kafka/dismiss-members.ts";
import { testKafka } from "../support/kafka/kafka.ts";
import { openUsagePublisher, type UsagePublisher } from "../support/kafka/publish-usage.ts";
import { takeUsageTopic, untilCaughtUp } from "../support/kafka/usage-topic.ts";
import { type MeteringProcess, startMetering } from "../support/processes/metering-process.ts";
import { superuserUrl } from "../support/stack/template.ts";

/** Kafka, its group and the books disagree about how far metering has read: the books decide. */
const ACCOUNT = "rewound";
const EVENTS = 8;
const kafka = testKafka();

let giveTopicBack: () => Promise<void>;
let admin: Admin;
let books: Books;
let usage: UsagePublisher;
let published: number;
const started: MeteringProcess[] = [];

beforeAll(async () => {
  giveTopicBack = await takeUsageTopic(kafka);
  admin = kafka.admin();
  await admin.connect();
  books = await openBooks();
  await setPrice(books, "call", 1n);
  await openAccount(books, ACCOUNT, { lots: [{ credits: 1_000_000n }] });
  usage = await openUsagePublisher(kafka);
  published = 0;
}, 300_000);

afterAll(async () => {
  for (const metering of started) await metering.kill();
  await usage?.close();
  await admin?.disconnect();
  await books?.close();
  await giveTopicBack?.();
});

test("the group's committed offset is ahead of the books (restored from a backup): they read again", async () => {
  await meterThrough(() => publishMore());
  const backup = await copyBooks(books);
  const before = published;
  await meterThrough(() => publishMore());
  await books.close();
  books = backup;
  expect(await metered()).toBe(before);

  await meterThrough();
  expect(await metered()).toBe(published);
  expect(await positionOfAccount()).toBe(published);
  expect(await brokenInvariants(books.database)).toEqual([]);
});

test("the group's committed offset is behind the books: nothing is debited twice", async () => {
  await commit((low) => low);
  await meterThrough();
  expect(await metered()).toBe(published);
  expect(await positionOfAccount()).toBe(published);
  expect(await brokenInvariants(books.database)).toEqual([]);
});

test("the group has lost its offsets: metering continues from the books", async () => {
  await admin.deleteGroups([METERING]);
  await meterThrough(() => publishMore());
  expect(await positionOfAccount()).toBe(published);
});

test("retention deletes unread usage: one dead letter per partition records it, and metering continues", async () => {
  const before = await offsets();
  const lost = await publishMore();
  published -= lost;
  const ends = await admin.fetchTopicOffsets(TOPICS.usageEvents);
  const concerned = ends.filter(({ partition, high }) => before.get(partition) !== high);
  await admin.deleteTopicRecords({
    topic: TOPICS.usageEvents,
    partitions: concerned.map(({ partition, high }) => ({ partition, offset: high })),
  });
  await meterThrough(() => publishMore());

  expect(await metered()).toBe(published);
  const { rows } = await books.database.query<{ kafka_partition: number; detail: string }>(
    "SELECT kafka_partition, detail FROM dead_letter WHERE reason = 'lost_to_retention' ORDER BY 1",
  );
  expect(rows).toEqual(
    concerned
      .map(({ partition, high }) => ({
        kafka_partition: partition,
        detail: expect.stringContaining(`${before.get(partition)} to ${Number(high) - 1}`),
      }))
      .sort((a, b) => a.kafka_partition - b.kafka_partition),
  );
});

test("transaction markers between events are skipped", async () => {
  const producer = kafka.producer({
    transactionalId: `commits-${Date.now()}`,
    maxInFlightRequests: 1,
    idempotent: true,
  });
  await producer.connect();
  for (let turn = 0; turn < 3; turn += 1) {
    const transaction = await producer.transaction();
    await transaction.send({
      topic: TOPICS.usageEvents,
      messages: [{ key: ACCOUNT, value: Buffer.from("unreadable"), partition: 1 }],
    });
    await (turn === 1 ? transaction.abort() : transaction.commit());
  }
  await producer.disconnect();
  await meterThrough(() => publishMore(1));
  expect(await metered()).toBe(published);
  expect(await brokenInvariants(books.database)).toEqual([]);
});

test("a producer's aborted transaction larger than a fetch is skipped", async () => {
  const producer = kafka.producer({
    transactionalId: `aborts-${Date.now()}`,
    maxInFlightRequests: 1,
    idempotent: true,
  });
  await producer.connect();
  const transaction = await producer.transaction();
  const value = Buffer.alloc(900_000);
  for (let sent = 0; sent < 8; sent += 1) {
    await transaction.send({
      topic: TOPICS.usageEvents,
      messages: [{ key: ACCOUNT, value, partition: 0 }],
    });
  }
  await transaction.abort();
  await producer.disconnect();
  await meterThrough(() => publishMore(0));
  expect(await metered()).toBe(published);
});

test("a topic made anew is noticed however long it is: metering ends before it reads, reconcile and replay refuse", async () => {
  const running = startMetering({ ...process.env, DATABASE_URL: books.url });
  started.push(running);
  await running.says(/^metering$/);
  await eventually("it knows its topic", async () => (await topicIds()).every((id) => id !== null));
  const before = published;
  // As if it had been another one that the books read until now, with the same number of messages.
  await books.database.query("UPDATE consumer_offset SET topic_id = $1", [randomUUID()]);
  expect(await running.ended).toBe(1);
  await dismissMembers(kafka, process.env["KAFKA_BROKERS"] ?? "", METERING);
  await publishMore();
  const again = startMetering({ ...process.env, DATABASE_URL: books.url });
  started.push(again);
  expect(await again.ended).toBe(1);
  for (const { log } of [running, again]) {
    const message = expect.stringMatching(
      /^usage\.events was made anew since the books have read it\./,
    );
    expect(log.find(({ level }) => level === "fatal")).toMatchObject({ err: { message } });
  }
  expect(await metered()).toBe(before);
  const target = await openBooks();
  for (const command of [["reconcile"], ["replay", "--into", superuserUrl(target.url)]]) {
    const asked = await drawdown(command, { env: { DATABASE_URL: books.url } });
    expect([asked.code, asked.stderr]).toEqual([1, expect.stringContaining("was made anew")]);
  }
  await target.close();
});

async function topicIds(): Promise<(string | null)[]> {
  const text = "SELECT topic_id FROM consumer_offset WHERE consumer = $1";
  const { rows } = await books.database.query<{ topic_id: string | null }>(text, [METERING]);
  return rows.map(({ topic_id }) => topic_id);
}

/** Runs metering until it has read everything, including what `meanwhile` publishes, and stops it. */
async function meterThrough(meanwhile?: () => Promise<unknown>): Promise<void> {
  await meanwhile?.();
  const metering = startMetering({ ...process.env, DATABASE_URL: books.url });
  started.push(metering);
  await metering.says(/^metering$/);
  await untilCaughtUp(kafka, books.database, 15_000);
  expect(await metering.stop()).toBe(0);
  await dismissMembers(kafka, process.env["KAFKA_BROKERS"] ?? "", METERING);
}

async function publishMore(partition?: number): Promise<number> {
  const events = Array.from(
    { length: EVENTS },
    (_, index): Usage => ({
      eventId: `event-${Date.now()}-${published}-${index}`,
      accountId: ACCOUNT,
      quantity: 1n,
    }),
  );
  for (const [index, event] of events.entries()) {
    await usage.publish([event], partition ?? index % 4);
  }
  published += EVENTS;
  return EVENTS;
}

async function metered(): Promise<number> {
  const { rows } = await books.database.query<{ n: number }>(
    "SELECT count(*)::integer AS n FROM usage_record",
  );
  return rows[0]?.n ?? -1;
}

async function positionOfAccount(): Promise<number> {
  const { rows } = await books.database.query<{ position: bigint }>("SELECT position FROM account");
  return Number(rows[0]?.position);
}

async function offsets(): Promise<Map<number, string>> {
  const { rows } = await books.database.query<{ partition: number; next: string }>(
    "SELECT kafka_partition AS partition, next_offset::text AS next FROM consumer_offset",
  );
  return new Map(rows.map(({ partition, next }) => [partition, next]));
}

async function commit(offsetOf: (low: string, high: string) => string): Promise<void> {
  const ends = await admin.fetchTopicOffsets(TOPICS.usageEvents);
  await admin.setOffsets({
    groupId: METERING,
    topic: TOPICS.usageEvents,
    partitions: ends.map(({ partition, low, high }) => ({
      partition,
      offset: offsetOf(low, high),
    })),
  });
}

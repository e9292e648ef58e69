import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { usageCompleteWatch } from "../../services/metering/watch-usage-complete.ts";
import { GRACE_MS } from "../../shared/core/month/expiry.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { TOPICS, USAGE_READER } from "../../shared/core/text/topics.ts";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";
import { readCompleteUntil } from "../../shared/ledger/books/usage-complete.ts";
import { grantCredits } from "../../shared/ledger/credits/grant-credits.ts";
import { type Books, openAccount, openBooks, setPrice } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { openCatalogue, openSubscriber } from "../support/books/subscribers.ts";
import { eventually } from "../support/eventually.ts";
import { collectTopic, testKafka } from "../support/kafka/kafka.ts";
import { openUsagePublisher, type UsagePublisher } from "../support/kafka/publish-usage.ts";
import { takeUsageTopic, untilCaughtUp } from "../support/kafka/usage-topic.ts";
import { type MeteringProcess, startMetering } from "../support/processes/metering-process.ts";
import { startScheduler } from "../support/processes/scheduler-process.ts";
import type { ServiceProcess } from "../support/processes/service-process.ts";

/** The instant up to which usage is complete: stored by metering, awaited by the scheduler. */
const CREDIT = 1_000_000n;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let books: Books;

beforeEach(async () => {
  books = await openBooks();
});

afterEach(async () => {
  await books.close();
});

describe("a check of the ends of the usage topic", () => {
  type Ends = Record<number, [low: number, high: number]>;

  const topicWith = (ends: Ends, partitions = Object.keys(ends).length) => ({
    fetchTopicOffsets: async () =>
      Object.entries(ends).map(([partition, [low, high]]) => {
        return { partition: Number(partition), low: `${low}`, high: `${high}`, offset: `${high}` };
      }),
    fetchTopicMetadata: async () => ({
      topics: [
        {
          name: TOPICS.usageEvents,
          partitions: Array.from({ length: partitions }, (_, partitionId) => {
            const node = { partitionErrorCode: 0, leader: 0, replicas: [], isr: [] };
            return { partitionId, ...node };
          }),
        },
      ],
    }),
  });

  test.each<{ what: string; ends: Ends; partitions?: number; read: Record<number, number> }>([
    { what: "an idle topic that was read", ends: { 0: [0, 7], 1: [3, 3] }, read: { 0: 7, 1: 3 } },
    { what: "a topic without a message", ends: { 0: [0, 0] }, read: { 0: 0 } },
    { what: "places ahead of the ends seen", ends: { 0: [0, 7] }, read: { 0: 9 } },
    { what: "messages that retention deleted unread", ends: { 0: [7, 7] }, read: { 0: 2 } },
  ])("finds usage complete: $what", async ({ ends, read }) => {
    await setPlaces(read);
    const before = Date.now();
    await usageCompleteWatch(books.database, topicWith(ends))();
    const at = await completeAt();
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(Date.now());
  });

  test.each<{ what: string; ends: Ends; partitions?: number; read: Record<number, number> }>([
    { what: "one partition is not read", ends: { 0: [0, 7], 1: [0, 7] }, read: { 0: 7, 1: 6 } },
    { what: "a partition was never begun", ends: { 0: [0, 7], 1: [0, 7] }, read: { 0: 7 } },
    { what: "nor one without a message", ends: { 0: [0, 7], 1: [0, 0] }, read: { 0: 7 } },
    { what: "the client does not know one", ends: { 0: [0, 7] }, partitions: 2, read: { 0: 7 } },
    { what: "retention deleted a part", ends: { 0: [5, 7] }, read: { 0: 2 } },
  ])("does not find it complete: $what", async ({ ends, partitions, read }) => {
    await setPlaces(read);
    const look = usageCompleteWatch(books.database, topicWith(ends, partitions));
    await look();
    await look();
    expect(await completeAt()).toBeNull();
  });

  test("under load, stores the instant of the check once the ends seen then are read", async () => {
    const ends: Ends = { 0: [0, 10], 1: [0, 10] };
    await setPlaces({ 0: 5, 1: 10 });
    const look = usageCompleteWatch(books.database, topicWith(ends));
    await look();
    const seenBy = Date.now();
    await eventually("the clock moves on", () => Date.now() > seenBy);
    ends[0] = [0, 20];
    await setPlaces({ 0: 9 });
    await look();
    expect(await completeAt()).toBeNull();
    await setPlaces({ 0: 10 });
    await look();
    expect(await completeAt()).toBeLessThanOrEqual(seenBy);
    const first = await completeAt();
    await setPlaces({ 0: 20 });
    await look();
    expect(await completeAt()).toBeGreaterThan(first ?? 0);
  });

  test("does not wait for what retention deletes meanwhile", async () => {
    const ends: Ends = { 0: [0, 10], 1: [0, 10] };
    await setPlaces({ 0: 5, 1: 9 });
    const look = usageCompleteWatch(books.database, topicWith(ends));
    await look();
    ends[0] = [12, 14];
    await setPlaces({ 1: 10 });
    await look();
    expect(await completeAt()).not.toBeNull();
  });

  test("of a slower process never sets back what another has stored", async () => {
    const ends: Ends = { 0: [0, 11] };
    await setPlaces({ 0: 10 });
    const slow = usageCompleteWatch(books.database, topicWith(ends));
    await slow();
    const seenBy = Date.now();
    await eventually("the clock moves on", () => Date.now() > seenBy);
    await setPlaces({ 0: 11 });
    await usageCompleteWatch(books.database, topicWith(ends))();
    const noted = await completeAt();
    expect(noted).toBeGreaterThan(seenBy);
    ends[0] = [0, 12];
    await slow();
    expect(await completeAt()).toBe(noted);
  });

  test("counts from before the ends were requested: they exclude what is published meanwhile", async () => {
    const topic = topicWith({ 0: [0, 7] });
    await setPlaces({ 0: 7 });
    const asked = Date.now();
    const slowly = {
      ...topic,
      async fetchTopicOffsets() {
        await eventually("the clock moves on", () => Date.now() > asked + 50);
        return topic.fetchTopicOffsets();
      },
    };
    await usageCompleteWatch(books.database, slowly)();
    expect(await completeAt()).toBeLessThanOrEqual(asked + 50);
  });
});

describe("metering and the scheduler as processes", () => {
  const kafka = testKafka();
  let giveTopicBack: () => Promise<void>;
  let usage: UsagePublisher;
  let metering: MeteringProcess | null = null;
  let scheduler: ServiceProcess | null = null;

  beforeAll(async () => {
    giveTopicBack = await takeUsageTopic(kafka);
    usage = await openUsagePublisher(kafka);
  }, 300_000);

  afterEach(async () => {
    expect(await Promise.all([metering?.stop() ?? 0, scheduler?.stop() ?? 0])).toEqual([0, 0]);
    [metering, scheduler] = [null, null];
  });

  afterAll(async () => {
    await usage?.close();
    await giveTopicBack?.();
  });

  const env = () => ({
    ...process.env,
    DATABASE_URL: books.url,
    SCHEDULER_CRON: "* * * * * *",
  });

  test("usage is complete while everything is read, also where the last offsets have no message", async () => {
    metering = startMetering(env());
    await metering.says(/^metering$/);
    await eventually("an idle topic is complete", async () => (await completeAt()) !== null);
    await abortedTransaction();
    const aborted = Date.now();
    await eventually("it is complete after that, too", async () => {
      return ((await completeAt()) ?? 0) > aborted;
    });
  });

  test("while metering is down, usage is not complete: credits come, are published and do not expire", async () => {
    const account = `complete-${Date.now()}`;
    const lotEnd = Date.now() - 16 * MINUTE;
    await openCatalogue(books);
    await openSubscriber(books, account, { at: Date.now() - 40 * DAY });
    await grantCredits(
      books.database,
      toAccountId(account),
      {
        ...{ lotId: "ended", credits: 50n * CREDIT, source: "promotion", reference: "" },
        end: { kind: "at", at: lotEnd },
      },
      Date.now() - 39 * DAY,
    );
    const credits = await collectTopic<{ kind: string; lot_id: string | null }>(
      kafka,
      SCHEMAS.credits,
    );
    scheduler = startScheduler(env());
    const told = () => {
      const ours = credits.received.filter(({ key }) => key === account);
      return ours.map(({ record }) => `${record.kind} ${record.lot_id}`);
    };
    await eventually("the month's credits are published", () => told().includes("grant plan:1:1"));
    expect((await scheduler.says(/wait until metering has read/))["usageReadAt"]).toBeNull();

    await usage.publish([
      { eventId: "late", accountId: account, quantity: 130n, occurredAt: lotEnd - 1 },
    ]);
    metering = startMetering(env());
    await untilCaughtUp(kafka, books.database);
    await eventually("usage is complete", async () => (await completeAt()) !== null);
    await eventually("the lot has ended", () => told().includes("expiry ended"));
    await credits.stop();
    const { rows } = await books.database.query<{ credits: bigint }>(
      "SELECT credits FROM entry WHERE kind = 'expiry' AND lot_id = 'ended'",
    );
    expect(rows).toEqual([{ credits: -20n * CREDIT }]);
    expect(await brokenInvariants(books.database)).toEqual([]);
  });

  test("while metering is stuck at some usage, the instant does not advance", async () => {
    await setPrice(books, "call", 1n);
    await openAccount(books, "held");
    metering = startMetering(env());
    await metering.says(/^metering$/);
    await eventually("it is complete", async () => (await completeAt()) !== null);
    const holder = await books.database.connect();
    await holder.query("BEGIN");
    await holder.query("SELECT FROM consumer_offset FOR UPDATE");
    await usage.publish([{ eventId: `held-${Date.now()}`, accountId: "held", quantity: 1n }]);
    const held = Date.now();
    const admin = kafka.admin();
    await admin.connect();
    const look = usageCompleteWatch(books.database, admin);
    for (let looks = 0; looks < 3; looks += 1) await look();
    await admin.disconnect();
    expect(await completeAt()).toBeLessThanOrEqual(held);
    await holder.query("ROLLBACK");
    holder.release();
    await eventually("it is complete again", async () => ((await completeAt()) ?? 0) > held);
  });

  /** Messages that no consumer sees, and their marker, at the end of a partition. */
  async function abortedTransaction(): Promise<void> {
    const producer = kafka.producer({
      transactionalId: `aborted-${Date.now()}`,
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await producer.connect();
    const transaction = await producer.transaction();
    const messages = [{ partition: 0, value: "never to be seen" }];
    await transaction.send({ topic: TOPICS.usageEvents, messages });
    await transaction.abort();
    await producer.disconnect();
  }
});

/** When the books last had read all usage, or null. */
async function completeAt(): Promise<number | null> {
  const until = await readCompleteUntil(books.database, Date.now());
  return until === null ? null : until + GRACE_MS;
}

async function setPlaces(places: Record<number, number>): Promise<void> {
  for (const [partition, offset] of Object.entries(places)) {
    await books.database.query(
      `INSERT INTO consumer_offset VALUES ($1, $2, $3, $4)
       ON CONFLICT (consumer, topic, kafka_partition) DO UPDATE SET next_offset = $4`,
      [USAGE_READER.consumer, USAGE_READER.topic, partition, offset],
    );
  }
}

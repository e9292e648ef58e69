import { setTimeout as sleep } from "node:timers/promises";
import type { Admin } from "kafkajs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type MeteringContext, meterMessages } from "../../services/metering/meter-messages.ts";
import { TopicRecreated } from "../../services/metering/watch-topic.ts";
import { METERING, TOPICS } from "../../shared/core/text/topics.ts";
import { DEFAULT_WINDOW } from "../../shared/core/usage/usage-event.ts";
import { type Encode, openEncoder } from "../../shared/kafka/codec/encoder.ts";
import { openRegistry } from "../../shared/kafka/codec/open-registry.ts";
import { RegistryUnavailable } from "../../shared/kafka/codec/registry.ts";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";
import { openUsageDecoder, type UsageDecoder } from "../../shared/kafka/codec/usage-decoder.ts";
import type { MessageBatch } from "../../shared/kafka/consume/batch-forms.ts";
import { findStartOffsets } from "../../shared/kafka/consume/start-offsets.ts";
import { retryDeadLetter } from "../../shared/ledger/dead-letters/retry.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { type Books, openAccount, openBooks, setPrice } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { openFailingRegistry } from "../support/kafka/failing-registry.ts";
import { FOREIGN_SCHEMAS, registerForeign } from "../support/kafka/foreign-schemas.ts";
import { silent } from "../support/kafka/kafka.ts";
import { recordsOf } from "../support/kafka/records-of.ts";
import { usageBytes, withSchemaId } from "../support/kafka/usage-bytes.ts";

const ACCOUNT = "acme";
const topic = TOPICS.usageEvents;

let books: Books;
let decoder: UsageDecoder;
let encode: Encode;
let partitions = 0;

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "call", 1n);
  await openAccount(books, ACCOUNT);
  const registry = openRegistry(readSettings(process.env).registry);
  encode = await openEncoder(registry, SCHEMAS.usageEvents);
  decoder = openUsageDecoder(registry);
});

afterAll(async () => {
  await books?.close();
});

test("a batch that begins at the books' offset is metered, and reading continues", async () => {
  const { handle, batch } = partition();
  expect(await handle(batch(0, 5))).toBe(5n);
  expect(await handle(batch(5, 9))).toBe(9n);
  expect(await metered()).toBe(9);
});

test("a batch that was already read is dropped, and reading continues at the books' offset", async () => {
  const { handle, batch } = partition();
  await handle(batch(0, 5));
  expect(await handle(batch(0, 5))).toBe(5n);
  expect(await handle(batch(2, 4))).toBe(5n);
  expect(await metered()).toBe(5);
});

test("the unread rest of a partly read batch is metered", async () => {
  const { handle, batch } = partition();
  await handle(batch(0, 5));
  expect(await handle(batch(3, 8))).toBe(8n);
  expect(await metered()).toBe(8);
});

test("a batch ahead of the books is not metered: the messages in between are read first", async () => {
  const { handle, batch } = partition();
  await handle(batch(0, 5));
  expect(await handle(batch(7, 9))).toBe(5n);
  expect(await metered()).toBe(5);
});

test("offsets without a message are not a gap", async () => {
  const { handle, batch } = partition();
  await handle(batch(0, 5));
  const thinned = batch(5, 12);
  const messages = thinned.messages.filter(({ offset }) => Number(offset) % 3 === 0);
  expect(await handle({ ...thinned, messages })).toBe(12n);
  expect(await metered()).toBe(5 + messages.length);
});

test("messages that retention deleted unread are one dead letter that names them", async () => {
  const { handle, batch, number } = partition({ low: 40n });
  await handle(batch(0, 5));
  expect(await handle(batch(40, 42))).toBe(40n);
  expect(await handle(batch(40, 42))).toBe(42n);
  expect(await metered()).toBe(7);
  const { rows } = await books.database.query<{ kafka_offset: bigint; detail: string }>(
    "SELECT kafka_offset, detail FROM dead_letter WHERE kafka_partition = $1",
    [number],
  );
  expect(rows).toEqual([
    { kafka_offset: 5n, detail: expect.stringContaining("offsets 5 to 39 were deleted") },
  ]);
});

test("a topic shorter than what the books have read ends the process with a clear error", async () => {
  const { handle, batch, number } = partition({ high: 2n });
  await handle(batch(0, 5));
  const shorter = { ...batch(0, 2), highWatermark: 2n };
  await expect(handle(shorter)).rejects.toThrow(TopicRecreated);
  await expect(handle(shorter)).rejects.toThrow(
    `${topic}/${number} ends at 2, but the books have read up to 5. This is not the topic that the books were kept from: `,
  );
  expect(await metered()).toBe(5);
});

test("a batch that waited until another process had read beyond its end is dropped", async () => {
  const { handle, batch } = partition();
  await handle(batch(0, 5));
  expect(await handle({ ...batch(0, 2), highWatermark: 2n })).toBe(5n);
  expect(await metered()).toBe(5);
});

test("while the registry is unavailable, the consumer keeps sending heartbeats to its group", async () => {
  let down = 2;
  const flaky: UsageDecoder = {
    ...decoder,
    async learn(values) {
      if (down-- > 0) throw new RegistryUnavailable("down");
      await decoder.learn(values);
    },
  };
  let heartbeats = 0;
  const { handle, batch } = partition({ decoder: flaky });
  const heartbeat = async () => {
    heartbeats += 1;
  };
  expect(await handle(batch(0, 3), heartbeat)).toBe(3n);
  expect(heartbeats).toBeGreaterThanOrEqual(2);
  expect(await metered()).toBe(3);
});

test("an event whose schema the registry keeps failing for stops no other, and can be retried", async () => {
  const id = await registerForeign(FOREIGN_SCHEMAS.older);
  const { url } = readSettings(process.env).registry;
  const proxy = await openFailingRegistry(url);
  proxy.failing.add(`/schemas/ids/${id}`);
  const patienceMs = 300;
  const failing = openUsageDecoder(openRegistry({ url: proxy.url, auth: null }, patienceMs));
  try {
    const { handle, batch, number } = partition({ decoder: failing });
    const [before, stuck, after, ...rest] = batch(0, 3).messages;
    if (before === undefined || stuck === undefined || after === undefined) throw new Error("none");
    const event = { eventId: `older-${number}`, accountId: ACCOUNT, meter: "call", quantity: 1n };
    const fields = { ...event, occurredAt: Date.now(), source: "", dimensions: [] };
    const record = usageBytes({ ...fields, quantities: null });
    // This schema has no source and no dimensions.
    const value = withSchemaId(id, record.subarray(0, record.length - 2));
    const messages = [before, { ...stuck, value }, after, ...rest];
    expect(await handle({ ...batch(0, 3), messages })).toBe(3n);
    expect(await metered()).toBe(2);
    const { rows } = await books.database.query(
      "SELECT kafka_offset, reason, payload FROM dead_letter WHERE kafka_partition = $1",
      [number],
    );
    expect(rows).toEqual([{ kafka_offset: 1n, reason: "unknown_schema", payload: value }]);
    const place = { topic, partition: number, offset: 1n };
    expect(await retryDeadLetter(books.database, place, Date.now())).toEqual({ kind: "asked" });
    proxy.failing.clear();
    await sleep(patienceMs);
    await handle({ ...batch(3, 4), messages: [{ ...stuck, value, offset: "3" }] });
    expect(await metered()).toBe(3);
  } finally {
    await proxy.close();
  }
});

test("reading starts at the books' offset, and at the beginning of a partition new to them", async () => {
  const place = { consumer: METERING, topic: `${topic}.elsewhere` };
  const admin = {
    fetchTopicOffsets: async () =>
      [0, 1, 2].map((number) => ({ partition: number, low: "7", high: "90", offset: "90" })),
  };
  await books.database.query("INSERT INTO consumer_offset VALUES ($1, $2, 1, 50)", [
    place.consumer,
    place.topic,
  ]);
  expect(await findStartOffsets(books.database, admin, place, [0, 1])).toEqual(
    new Map([
      [0, 7n],
      [1, 50n],
    ]),
  );
});

test("what occurred in a month that was dropped is a dead letter, however old an event may be", async () => {
  const own = await openBooks();
  try {
    await setPrice(own, "call", 1n);
    await openAccount(own, ACCOUNT);
    await own.database.query(
      "INSERT INTO usage_past_partition VALUES (99, 0, 1, 1, 0, now() - interval '10 days')",
    );
    const warnings: unknown[] = [];
    const logger = { ...silent, warn: (fields: unknown) => warnings.push(fields) };
    const { handle, batch } = partition({ database: own.database, logger });
    const days = [20, 11, 9, 0];
    const aged = batch(0, days.length).messages.map((_, offset) =>
      message(99, offset, days[offset]),
    );
    await handle({ ...batch(0, days.length), messages: aged });
    const metered = "SELECT event_id FROM usage_record ORDER BY event_id";
    expect((await own.database.query(metered)).rows).toEqual([
      { event_id: "event-99-2" },
      { event_id: "event-99-3" },
    ]);
    const dead = "SELECT kafka_offset, reason FROM dead_letter ORDER BY kafka_offset";
    expect((await own.database.query(dead)).rows).toEqual([
      { kafka_offset: 0n, reason: "too_long_ago" },
      { kafka_offset: 1n, reason: "too_long_ago" },
    ]);
    expect(warnings).toMatchObject([{ maxBehindMs: DEFAULT_WINDOW.maxBehindMs }]);
  } finally {
    await own.close();
  }
});

/** A new partition, its handler, and batches of its events. */
function partition(options: { low?: bigint; high?: bigint } & Partial<MeteringContext> = {}) {
  const number = partitions++;
  const { low = 0n, high = 1_000n } = options;
  const admin: Pick<Admin, "fetchTopicOffsets"> = {
    fetchTopicOffsets: async () => [
      { partition: number, low: String(low), high: String(high), offset: String(high) },
    ],
  };
  const parts: MeteringContext = {
    database: books.database,
    decoder,
    admin,
    window: DEFAULT_WINDOW,
    logger: silent,
    stopping: new AbortController().signal,
    onCommitted: () => undefined,
    ...options,
  };
  const meter = meterMessages(parts);
  return {
    number,
    handle: async (batch: MessageBatch, heartbeat: () => Promise<void> = async () => undefined) =>
      (await meter([{ batch: await recordsOf(batch), heartbeat }]))[0],
    batch: (from: number, end: number): MessageBatch => ({
      topic,
      partition: number,
      fetchedFrom: BigInt(from),
      nextOffset: BigInt(end),
      highWatermark: 1_000n,
      messages: Array.from({ length: end - from }, (_, index) => message(number, from + index)),
    }),
  };
}

function message(number: number, offset: number, daysAgo = 0): MessageBatch["messages"][number] {
  const value = encode({
    event_id: `event-${number}-${offset}`,
    account_id: ACCOUNT,
    meter: "call",
    quantity: 1n,
    occurred_at: Date.now() - daysAgo * 24 * 60 * 60 * 1000,
    source: "",
    dimensions: {},
    quantities: {},
    hold_id: null,
  });
  return { key: null, value, offset: String(offset), timestamp: "0", attributes: 0, headers: {} };
}

/** The number of metered events of the newest partition. */
async function metered(): Promise<number> {
  expect(await brokenInvariants(books.database)).toEqual([]);
  const { rows } = await books.database.query<{ n: number }>(
    "SELECT count(*)::integer AS n FROM usage_record WHERE kafka_partition = $1",
    [partitions - 1],
  );
  return rows[0]?.n ?? -1;
}

import { createHash } from "node:crypto";
import kafkajs, { type Producer } from "kafkajs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { openRegistry } from "../../shared/kafka/codec/open-registry.ts";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { type Books, openAccount, openBooks, setPrice } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { eventually } from "../support/eventually.ts";
import {
  FOREIGN_SCHEMAS,
  registerForeign,
  registerReferring,
} from "../support/kafka/foreign-schemas.ts";
import { type Collector, collectTopic, rawProducer, testKafka } from "../support/kafka/kafka.ts";
import { long, type UsageFields, usageBytes, withSchemaId } from "../support/kafka/usage-bytes.ts";
import { takeUsageTopic, untilCaughtUp } from "../support/kafka/usage-topic.ts";
import { type MeteringProcess, startMetering } from "../support/processes/metering-process.ts";
import { CASES, type Case, type Given, type SchemaIds } from "./bad-input-cases.ts";

/**
 * Raw bytes through the real topic and a real metering process. Each case lies between two good events
 * of its account on the same partition, which are metered in any case.
 */
const HOUR = 3_600_000;
const now = Date.now();
const kafka = testKafka();

interface Sent {
  readonly value: Buffer | null;
  readonly partition: number;
  readonly offset: string;
}

interface DeadLetter {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly account_id: string | null;
  readonly reason: string;
  readonly payload: Buffer;
  readonly payload_size: number | null;
  readonly payload_sha256: string | null;
}

let giveTopicBack: () => Promise<void>;
let books: Books;
let ids: SchemaIds;
let producer: Producer;
let metering: MeteringProcess;
let published: Collector<DeadLetter>;
const sent = new Map<string, Sent>();

beforeAll(async () => {
  giveTopicBack = await takeUsageTopic(kafka);
  books = await openBooks();
  await setPrice(books, "call", 1_000_000n);
  await setPrice(books, "cheap", 1n, 1_000_000n);
  await setPrice(books, "dear", 2n ** 40n);
  await setPrice(books, "free", 0n);
  await setPrice(books, "new", 3_000_000n, 1n, now - HOUR);
  ids = await registerAll();
  producer = await rawProducer(kafka);
  published = await collectTopic(kafka, SCHEMAS.deadLetters);
  for (const [index, example] of CASES.entries()) {
    await openAccount(books, accountOf(index), { lots: [{ credits: 2n ** 62n }] });
    await send(example, index);
  }
  metering = startMetering({ ...process.env, DATABASE_URL: books.url });
  await untilCaughtUp(kafka, books.database, 40_000);
}, 300_000);

afterAll(async () => {
  await published?.stop();
  await producer?.disconnect();
  await metering?.kill();
  await books?.close();
  await giveTopicBack?.();
});

test.each(
  CASES.map((example, index) => ({ ...example, index, outcome: describeOutcome(example.becomes) })),
)("$name: $outcome", async (example) => {
  const place = sentAt(example);
  const letter = await deadLetterAt(place);
  const record = await recordAt(place);
  if (example.becomes === "a repeat") {
    expect([letter, record]).toEqual([null, null]);
  } else if (typeof example.becomes === "string") {
    expect(record).toBeNull();
    expect(letter).toMatchObject({ reason: example.becomes });
    expect(letter?.payload).toEqual(place.value ?? Buffer.alloc(0));
    expect(letter?.detail).toContain(example.detail ?? "");
  } else {
    expect(letter).toBeNull();
    expect(record).toEqual({ credits: BigInt(example.becomes.credits) });
  }
  expect(await goodEventsOf(accountOf(example.index))).toEqual(["after", "before"]);
});

test("every dead letter is published with its original message", async () => {
  const expected = await books.database.query("TABLE dead_letter");
  const ours = () => published.received.filter(({ record }) => isOurs(record));
  await eventually("all dead letters are published", () => ours().length >= expected.rows.length);
  for (const example of CASES.filter(isDeadLettered)) {
    const place = sentAt(example);
    const letter = ours().find(({ record }) => isAt(record, place));
    expect(letter?.record, example.name).toMatchObject({
      topic: TOPICS.usageEvents,
      reason: example.becomes,
      payload: place.value ?? Buffer.alloc(0),
    });
    expect(letter?.key, example.name).toBe(letter?.record.account_id ?? null);
  }
  expect(ours()).toHaveLength(expected.rows.length);
});

test("the books balance", async () => {
  expect(await brokenInvariants(books.database)).toEqual([]);
});

test("metering never stopped", () => {
  expect(metering.log.filter(({ level }) => level === "fatal")).toEqual([]);
});

test("a record that claims a quadrillion dimensions does not stop the events behind it", async () => {
  const account = accountOf(CASES.length);
  await openAccount(books, account);
  const endless = usageBytes({ ...goodEvent(account, "endless"), dimensions: [] });
  const [place] = await producer.send({
    topic: TOPICS.usageEvents,
    messages: [
      message(account, "before"),
      {
        partition: 0,
        key: account,
        value: withSchemaId(
          ids.ours,
          Buffer.concat([endless.subarray(0, endless.length - 1), long(10n ** 15n)]),
        ),
      },
      message(account, "after"),
    ],
  });
  await eventually(
    "the good events are metered",
    async () => (await goodEventsOf(account)).length === 2,
  );
  const offset = String(BigInt(place?.baseOffset ?? 0) + 1n);
  expect(await deadLetterAt({ value: null, partition: 0, offset })).toMatchObject({
    reason: "unreadable",
  });
});

test("4 KB that unpack to 4 MiB of zeros become a truncated dead letter, and nothing waits behind it", async () => {
  const account = accountOf(CASES.length + 1);
  await openAccount(books, account);
  const zeros = Buffer.alloc(4 << 20);
  const [place] = await producer.send({
    topic: TOPICS.usageEvents,
    compression: kafkajs.CompressionTypes.GZIP,
    messages: [{ partition: 0, key: account, value: zeros }],
  });
  await producer.send({ topic: TOPICS.usageEvents, messages: [message(account, "after")] });
  await eventually("the event behind it is metered", async () =>
    (await goodEventsOf(account)).includes("after"),
  );
  const at = { value: null, partition: 0, offset: place?.baseOffset ?? "" };
  const letter = () => published.received.find(({ record }) => isAt(record, at))?.record;
  await eventually("the dead letter is published", () => letter() !== undefined);
  expect(letter()).toMatchObject({
    reason: "unknown_schema",
    payload: zeros.subarray(0, 16_384),
    payload_size: zeros.length,
    payload_sha256: createHash("sha256").update(zeros).digest("hex"),
  });
  const { rows } = await books.database.query(
    "SELECT FROM dead_letter WHERE published_at IS NULL OR octet_length(payload) > 1048576",
  );
  expect(rows).toEqual([]);
  expect(metering.log.filter(({ level }) => level === "fatal")).toEqual([]);
});

function accountOf(index: number): string {
  return `bad-input-${now}-${index}`;
}

function goodEvent(accountId: string, eventId: string): UsageFields {
  return {
    eventId,
    accountId,
    meter: "call",
    quantity: 3n,
    occurredAt: now - 1,
    source: "test",
    dimensions: [["model", "one"]],
  };
}

function message(accountId: string, eventId: string, partition = 0) {
  const value = withSchemaId(ids.ours, usageBytes(goodEvent(accountId, eventId)));
  return { key: accountId, value, partition };
}

async function send(example: Case, index: number): Promise<void> {
  const account = accountOf(index);
  const given: Given = { ids, account, now, good: goodEvent(account, `case-${index}`) };
  const before = { ...given.good, ...example.before?.(given) };
  const partition = example.partition ?? 0;
  const value = example.value(given);
  const key = example.key === undefined ? account : example.key;
  const messages = [
    message(account, "before", partition),
    ...(example.before === undefined
      ? []
      : [{ key: account, partition, value: withSchemaId(ids.ours, usageBytes(before)) }]),
    { key, partition, value, headers: example.headers ?? {} },
    message(account, "after", partition),
  ];
  const [place] = await producer.send({ topic: TOPICS.usageEvents, messages });
  const offset = BigInt(place?.baseOffset ?? 0) + BigInt(messages.length - 2);
  sent.set(example.name, { value, partition, offset: offset.toString() });
}

async function registerAll(): Promise<SchemaIds> {
  const registry = openRegistry(readSettings(process.env).registry);
  return {
    ours: await registry.register(SCHEMAS.usageEvents),
    balanceChanged: await registry.register(SCHEMAS.balances),
    older: await registerForeign(FOREIGN_SCHEMAS.older),
    narrower: await registerForeign(FOREIGN_SCHEMAS.narrower),
    newer: await registerForeign(FOREIGN_SCHEMAS.newer),
    unrelated: await registerForeign(FOREIGN_SCHEMAS.unrelated),
    json: await registerForeign(FOREIGN_SCHEMAS.json, "JSON"),
    referring: await registerReferring(),
  };
}

function describeOutcome(becomes: Case["becomes"]): string {
  if (becomes === "a repeat") return "dropped as a repeat";
  return typeof becomes === "string"
    ? `dead-lettered as ${becomes}`
    : `metered for ${becomes.credits} micro-credits`;
}

function isDeadLettered({ becomes }: Case): boolean {
  return typeof becomes === "string" && becomes !== "a repeat";
}

function sentAt({ name }: Case): Sent {
  const place = sent.get(name);
  if (place === undefined) throw new Error(`${name} was not sent`);
  return place;
}

/** Offsets are never reused, so partition and offset name one message. */
function isOurs(record: DeadLetter): boolean {
  return [...sent.values()].some((place) => isAt(record, place));
}

function isAt(record: DeadLetter, place: Sent): boolean {
  return record.partition === place.partition && record.offset === BigInt(place.offset);
}

async function deadLetterAt(
  place: Sent,
): Promise<{ reason: string; detail: string; payload: Buffer } | null> {
  const { rows } = await books.database.query<{ reason: string; detail: string; payload: Buffer }>(
    "SELECT reason, detail, payload FROM dead_letter WHERE kafka_partition = $1 AND kafka_offset = $2",
    [place.partition, place.offset],
  );
  return rows[0] ?? null;
}

async function recordAt(place: Sent): Promise<{ credits: bigint } | null> {
  const { rows } = await books.database.query<{ credits: bigint }>(
    "SELECT credits FROM usage_record WHERE kafka_partition = $1 AND kafka_offset = $2",
    [place.partition, place.offset],
  );
  return rows[0] ?? null;
}

async function goodEventsOf(account: string): Promise<string[]> {
  const { rows } = await books.database.query<{ event_id: string }>(
    `SELECT event_id FROM usage_record
     WHERE account_id = $1 AND event_id IN ('before', 'after') ORDER BY event_id`,
    [account],
  );
  return rows.map((row) => row.event_id);
}

import { readFile } from "node:fs/promises";
import type { Producer } from "kafkajs";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { openRegistry } from "../../shared/kafka/codec/open-registry.ts";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";
import type { Codec } from "../../shared/kafka/records/unpack.ts";
import { EVERYTHING } from "../../shared/reconcile/cut.ts";
import { reconcile } from "../../shared/reconcile/reconcile.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { type Books, openAccount, openBooks, setPrice } from "../support/books/books.ts";
import { eventually } from "../support/eventually.ts";
import { gzipBomb } from "../support/kafka/bomb.ts";
import { rawProducer, testKafka } from "../support/kafka/kafka.ts";
import { PACK } from "../support/kafka/pack.ts";
import { sendPacked } from "../support/kafka/send-packed.ts";
import { usageBytes, withSchemaId } from "../support/kafka/usage-bytes.ts";
import { takeUsageTopic, untilCaughtUp } from "../support/kafka/usage-topic.ts";
import { type MeteringProcess, startMetering } from "../support/processes/metering-process.ts";

/** Whole batches through the real topic and a real metering process, with good events around them. */
const kafka = testKafka();
const now = Date.now();
const partition = 0;
const never = new AbortController().signal;
const registry = openRegistry(readSettings(process.env).registry);

interface Letter {
  readonly offset: bigint;
  readonly reason: string;
  readonly detail: string;
  readonly payload: Buffer;
  readonly size: number | null;
  readonly sha256: Buffer | null;
}

let giveTopicBack: () => Promise<void>;
let books: Books;
let schemaId: number;
let producer: Producer;
let metering: MeteringProcess;
let account: string;
let accounts = 0;

beforeAll(async () => {
  giveTopicBack = await takeUsageTopic(kafka);
  books = await openBooks();
  await setPrice(books, "call", 1n);
  schemaId = await registry.register(SCHEMAS.usageEvents);
  producer = await rawProducer(kafka);
  metering = startMetering({ ...process.env, DATABASE_URL: books.url });
  await metering.says(/^metering$/, 60_000);
}, 120_000);

beforeEach(async () => {
  accounts += 1;
  account = `bad-batch-${now}-${accounts}`;
  await openAccount(books, account);
});

afterAll(async () => {
  await producer?.disconnect();
  await metering?.kill();
  await books?.close();
  await giveTopicBack?.();
});

test.each([
  { way: "gzip", codec: "gzip" },
  { way: "snappy", codec: "snappy" },
  { way: "snappy of Java", codec: "snappy" },
  { way: "lz4", codec: "lz4" },
  { way: "zstd", codec: "zstd" },
] as const)("a batch packed with $way is metered", async ({ way, codec }) => {
  await send(codec, PACK[way], ["one", "two"]);
  await metered("one", "two");
});

test("300 MB in a batch of 300 KB are one dead letter, and the usage behind it is metered", async () => {
  const bomb = gzipBomb(300);
  expect(bomb.length).toBeLessThan(400_000);
  const offset = await send("gzip", () => bomb, ["bomb"]);
  await sendGood("behind");
  await metered("behind");
  expect(await lettersFrom(offset)).toEqual([
    {
      offset,
      reason: "unreadable",
      detail: `the batch compressed with gzip of 1 message, offsets ${offset} to ${offset}, cannot be read: it unpacks to more than 33,554,432 bytes; publish them again in smaller batches`,
      payload: bomb,
      size: null,
      sha256: null,
    },
  ]);
});

test("so are twenty of them in one fetch, with good batches between", async () => {
  const bomb = gzipBomb(40);
  const names = Array.from({ length: 20 }, (_, index) => `behind-${index}`);
  const offsets: bigint[] = [];
  metering.freeze();
  for (const name of names) {
    offsets.push(await send("gzip", () => bomb, ["bomb"]));
    await sendGood(name);
  }
  metering.thaw();
  await metered(...names);
  const letters = await lettersFrom(offsets[0] ?? 0n);
  expect(letters.map(({ offset }) => offset)).toEqual(offsets);
});

test("a batch of three that cannot be unpacked is one dead letter, at its last offset", async () => {
  const offset = await send("lz4", withWrongChecksum, ["a", "b", "c"]);
  await sendGood("behind");
  await metered("behind");
  const [letter, ...others] = await lettersFrom(offset);
  expect(others).toEqual([]);
  expect(letter).toMatchObject({ offset: offset + 2n, reason: "unreadable" });
  expect(letter?.detail).toMatch(
    new RegExp(
      `lz4 of 3 messages, offsets ${offset} to ${offset + 2n}, cannot be read: .*Checksum`,
    ),
  );
});

test("nothing differs between topic and books, and metering has never stopped", async () => {
  await untilCaughtUp(kafka, books.database);
  const { differences } = await reconcile({
    ...{ database: books.database, kafka, registry, scope: EVERYTHING, usageOnly: true },
    ...{ signal: never, onCut: () => undefined, onRead: () => undefined },
  });
  expect(differences).toEqual([]);
  expect(metering.log.filter(({ level }) => level === "fatal")).toEqual([]);
  expect(metering.log.filter(({ msg }) => msg.includes("cannot be read"))).not.toEqual([]);
});

test.runIf(process.platform === "linux")("metering has never had 600 MB", async () => {
  const status = await readFile(`/proc/${metering.pid}/status`, "utf8");
  expect(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1])).toBeLessThan(600_000);
});

test("10,000 messages of 10,000 unknown schemas are dead letters, while the group stays as it is", async () => {
  const highest = 2 ** 31 - 1;
  const ids = [
    0,
    -1,
    -highest - 1,
    ...Array.from({ length: 9_997 }, (_, index) => highest - index),
  ];
  const value = Buffer.from("of another schema");
  const messages = ids.map((id) => ({ key: account, value: withSchemaId(id, value), partition }));
  const [sent] = await producer.send({ topic: TOPICS.usageEvents, messages });
  await sendGood("behind");
  await metered("behind");
  const letters = await lettersFrom(BigInt(sent?.baseOffset ?? 0));
  expect(letters).toHaveLength(ids.length);
  expect(new Set(letters.map(({ reason }) => reason))).toEqual(new Set(["unknown_schema"]));
  expect(metering.log.filter(({ msg }) => /rejoin|waiting for the registry/.test(msg))).toEqual([]);
});

/** Events of the test's account as one batch. Returns its first offset. */
function send(codec: Codec, pack: (records: Buffer) => Buffer, eventIds: readonly string[]) {
  const messages = eventIds.map((eventId) => ({ ...message(eventId), partition }));
  return sendPacked(producer, { topic: TOPICS.usageEvents, messages, codec, pack });
}

async function sendGood(eventId: string): Promise<void> {
  const messages = [{ ...message(eventId), partition }];
  await producer.send({ topic: TOPICS.usageEvents, messages });
}

function message(eventId: string) {
  const fields = { eventId, accountId: account, meter: "call", quantity: 1n, occurredAt: now };
  const record = usageBytes({ ...fields, source: "", dimensions: [] });
  return { key: account, value: withSchemaId(schemaId, record) };
}

/** Waits until the test's account has these events, and no others. */
async function metered(...eventIds: string[]): Promise<void> {
  const sql = "SELECT event_id FROM usage_record WHERE account_id = $1 ORDER BY event_id";
  const expected = eventIds.toSorted().join();
  await eventually(
    `${eventIds} are metered`,
    async () => {
      const { rows } = await books.database.query<{ event_id: string }>(sql, [account]);
      return (
        rows
          .map(({ event_id }) => event_id)
          .toSorted()
          .join() === expected
      );
    },
    60_000,
  );
}

async function lettersFrom(offset: bigint): Promise<Letter[]> {
  const { rows } = await books.database.query<Letter>(
    `SELECT kafka_offset AS offset, reason, detail, payload, payload_size AS size,
            payload_sha256 AS sha256
     FROM dead_letter WHERE kafka_partition = $1 AND kafka_offset >= $2 ORDER BY kafka_offset`,
    [partition, offset],
  );
  return rows;
}

/** The broker does not compare what an LZ4 frame ends with; a library does. */
function withWrongChecksum(records: Buffer): Buffer {
  const frame = PACK.lz4(records);
  frame.writeUInt32LE((frame.readUInt32LE(frame.length - 4) ^ 1) >>> 0, frame.length - 4);
  return frame;
}

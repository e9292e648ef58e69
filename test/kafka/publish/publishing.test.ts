import { createHash, randomBytes } from "node:crypto";
import kafkajs from "kafkajs";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { TOPICS } from "../../../shared/core/text/topics.ts";
import { openRegistry } from "../../../shared/kafka/codec/open-registry.ts";
import { SCHEMAS } from "../../../shared/kafka/codec/schemas.ts";
import {
  type FencedPublisher,
  openFencedPublisher,
} from "../../../shared/kafka/publish/fenced-publisher.ts";
import { relayOutbox } from "../../../shared/kafka/publish/outbox-relay.ts";
import { publishBalances } from "../../../shared/kafka/publish/publish-balances.ts";
import { openPublisher, type Publisher } from "../../../shared/kafka/publish/publisher.ts";
import { grantCredits } from "../../../shared/ledger/credits/grant-credits.ts";
import { countOutbox, countRefused } from "../../../shared/ledger/outbox/count.ts";
import { putInOutbox } from "../../../shared/ledger/outbox/outbox.ts";
import { lowBalanceRecord } from "../../../shared/ledger/outbox/records.ts";
import { type Database, inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { isDatabaseOutage } from "../../../shared/ledger/postgres/outage.ts";
import { readSettings } from "../../../shared/runtime/settings.ts";
import { type Books, openAccount, openBooks, setPrice } from "../../support/books/books.ts";
import { usageBatches } from "../../support/books/usage-batches.ts";
import { eventually } from "../../support/eventually.ts";
import { type Collector, collectTopic, testKafka } from "../../support/kafka/kafka.ts";

/** From the books to Kafka and on to a consumer: nothing is lost, in order, and deleted once acknowledged. */
const settings = readSettings(process.env);
const kafka = testKafka();
const prefix = `publishing-${randomBytes(4).toString("hex")}`;

interface DeadLetter {
  readonly account_id: string | null;
  readonly offset: bigint;
  readonly payload: Buffer;
}

interface Balance {
  readonly account_id: string;
  readonly version: bigint;
  readonly balance: bigint;
}

let books: Books;
let publisher: Publisher;
let balancePublisher: FencedPublisher;
let deadLetters: Collector<DeadLetter>;
let lowBalances: Collector<{ account_id: string; crossing: bigint }>;
let balances: Collector<Balance>;

beforeAll(async () => {
  const registry = openRegistry(settings.registry);
  publisher = openPublisher(kafka, registry);
  balancePublisher = openFencedPublisher(kafka, registry, prefix);
  [deadLetters, lowBalances, balances] = await Promise.all([
    collectTopic<DeadLetter>(kafka, SCHEMAS.deadLetters),
    collectTopic<{ account_id: string; crossing: bigint }>(kafka, SCHEMAS.lowBalance),
    collectTopic<Balance>(kafka, SCHEMAS.balances),
  ]);
});

afterAll(async () => {
  await Promise.all([deadLetters?.stop(), lowBalances?.stop(), balances?.stop()]);
  await Promise.all([publisher?.close(), balancePublisher?.close()]);
});

beforeEach(async () => {
  books = await openBooks();
});

afterEach(async () => {
  await books.close();
});

test("records are published in order per account, with their sequence, and then deleted", async () => {
  await leaveLowBalances("ordered", 1n, 2n, 3n);
  await relayAll();
  await eventually("all three are published", () => crossingsOf("ordered").length === 3);
  expect(crossingsOf("ordered")).toEqual(["1", "2", "3"]);
  expect(await countRows("outbox")).toBe(0);
});

test("records that Kafka has without the books knowing are published again with the same sequence", async () => {
  await leaveLowBalances("again", 1n, 2n);
  const dies: Publisher = {
    ...publisher,
    async publish(records) {
      await publisher.publish(records);
      throw new Error("killed after Kafka's acknowledgement");
    },
  };
  await expect(relayOutbox(books.database, dies)).rejects.toThrow("killed after");
  await relayAll();
  await eventually("all four are published", () => crossingsOf("again").length === 4);
  expect(crossingsOf("again")).toEqual(["1", "2", "1", "2"]);
});

test("a record of a topic that only a newer version knows is left to its relay, and holds up nothing", async () => {
  await books.database.query(
    `INSERT INTO outbox (account_id, topic, sequence, record)
     VALUES ('a-newer', 'billing.from-the-future', 1, '{}')`,
  );
  await leaveLowBalances("older", 1n);
  expect(await relayOutbox(books.database, publisher)).toBe(false);
  await eventually("the known one is published", () => crossingsOf("older").length === 1);
  const { rows } = await books.database.query("SELECT topic, refused FROM outbox");
  expect(rows).toEqual([{ topic: "billing.from-the-future", refused: null }]);
});

test("only one of two relays works at a time", async () => {
  await leaveLowBalances("two-relays", 1n, 2n, 3n, 4n);
  await Promise.all(Array.from({ length: 4 }, () => relayOutbox(books.database, publisher)));
  await relayAll();
  await eventually("all four are published", () => crossingsOf("two-relays").length >= 4);
  expect(crossingsOf("two-relays")).toEqual(["1", "2", "3", "4"]);
});

test("a relay with nothing to publish looks once, without a transaction", async () => {
  const { database } = books;
  const query = vi.spyOn(database, "query");
  const withoutTransactions: Database = Object.create(database, {
    query: { value: database.query.bind(database) },
    connect: { value: () => Promise.reject(new Error("a transaction begins")) },
  });
  expect(await relayOutbox(withoutTransactions, publisher)).toBe(false);
  expect(query).toHaveBeenCalledTimes(1);
  await leaveLowBalances("looked", 1n);
  await expect(relayOutbox(withoutTransactions, publisher)).rejects.toThrow("a transaction begins");
});

test("a relay that loses Postgres while Kafka is slow reports an outage, to be retried", async () => {
  await leaveLowBalances("cut-off", 1n);
  const slow: Publisher = { ...publisher, publish: () => cutOtherConnections() };
  const error = await relayOutbox(books.database, slow).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Error);
  expect(isDatabaseOutage(error), String(error)).toBe(true);
  await relayAll();
  await eventually("it is published", () => crossingsOf("cut-off").length === 1);
});

test("a relay that hangs is cut off by Postgres, and another one publishes in its place", async () => {
  await leaveLowBalances("hangs", 1n, 2n);
  const goesOn = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const hangs: Publisher = {
    ...publisher,
    publish() {
      asked.resolve();
      return goesOn.promise;
    },
  };
  const hung = relayOutbox(books.database, hangs);
  await asked.promise;
  await eventually("another relay publishes", async () => {
    await relayOutbox(books.database, publisher);
    return crossingsOf("hangs").length === 2;
  });
  goesOn.resolve();
  await expect(hung).rejects.toThrow();
  await relayAll();
  expect(crossingsOf("hangs")).toEqual(["1", "2"]);
});

test("many dead letters of nearly a megabyte each are all published", async () => {
  const payload = randomBytes(1_000_000);
  const account = `${prefix}-large`;
  for (let offset = 0; offset < 12; offset += 1) {
    await books.database.query(
      `INSERT INTO dead_letter (topic, kafka_partition, kafka_offset, account_id, reason, detail,
                                payload, recorded_at)
       VALUES ('usage.events', 1000, $1, $2, 'malformed', '', $3, now())`,
      [offset, account, payload],
    );
  }
  await relayAll();
  const ours = () => deadLetters.received.filter(({ key }) => key === account);
  await eventually("all are published", () => ours().length === 12);
  expect(ours().map(({ record }) => record.offset)).toEqual(
    Array.from({ length: 12 }, (_, offset) => BigInt(offset)),
  );
  expect(ours().every(({ record }) => record.payload.equals(payload))).toBe(true);
}, 60_000);

test("a record refused by its schema or by Kafka is kept with the reason, and those after it are published", async () => {
  await leaveLowBalances("refused", 1n, 2n, 3n);
  await leaveLowBalances("behind", 1n);
  const alter = "UPDATE outbox SET record = $3 WHERE account_id = $1 AND sequence = $2";
  const accountId = `${prefix}-refused`;
  await books.database.query(alter, [accountId, 1, '{"account_id": 5}']);
  const record = JSON.stringify({
    ...{ account_id: accountId, crossing: "2", balance: "0", threshold: "0", occurred_at: 0 },
    cause: "x".repeat(2_000_000),
  });
  await books.database.query(alter, [accountId, 2, record]);

  while (await relayOutbox(books.database, publisher));
  const left = () => [...crossingsOf("refused"), ...crossingsOf("behind")];
  await eventually("those after it are published", () => new Set(left()).size === 2);
  expect(new Set(crossingsOf("refused"))).toEqual(new Set(["3"]));
  const { rows } = await books.database.query(
    "SELECT sequence::integer, refused FROM outbox ORDER BY sequence",
  );
  expect(rows).toEqual([
    { sequence: 1, refused: expect.stringMatching(/^not a record of billing.low-balance/) },
    { sequence: 2, refused: expect.stringMatching(/too large|larger than/i) },
  ]);
  expect(await countRefused(books.database)).toBe(2);
  expect(await countOutbox(books.database, 10)).toBe(0);
});

test("an old dead letter larger than its topic allows is published truncated", async () => {
  const payload = randomBytes(4 << 20);
  const account = `${prefix}-cut`;
  await books.database.query(
    `INSERT INTO dead_letter (topic, kafka_partition, kafka_offset, account_id, reason, detail,
                              payload, recorded_at)
     VALUES ('usage.events', 1000, 100, $1, 'malformed', '', $2, now())`,
    [account, payload],
  );
  await relayAll();
  const ours = () => deadLetters.received.find(({ key }) => key === account)?.record;
  await eventually("it is published", () => ours() !== undefined);
  expect(ours()).toMatchObject({
    payload: payload.subarray(0, 16_384),
    payload_size: payload.length,
    payload_sha256: createHash("sha256").update(payload).digest("hex"),
  });
});

test("a dead letter refused by a topic with smaller messages is published truncated", async () => {
  const payload = randomBytes(1_000_000);
  const account = `${prefix}-small`;
  await setMaxBytes(TOPICS.deadLetters, "100000");
  try {
    await books.database.query(
      `INSERT INTO dead_letter (topic, kafka_partition, kafka_offset, account_id, reason, detail,
                                payload, recorded_at)
       VALUES ('usage.events', 1000, 101, $1, 'malformed', '', $2, now())`,
      [account, payload],
    );
    await relayAll();
  } finally {
    await setMaxBytes(TOPICS.deadLetters, String(3 << 20));
  }
  const ours = () => deadLetters.received.find(({ key }) => key === account)?.record;
  await eventually("it is published", () => ours() !== undefined);
  expect(ours()?.payload).toHaveLength(16_384);
});

test("the balances of fifty thousand accounts that moved together are all published", async () => {
  const accounts = 50_000;
  await books.database.query(
    `INSERT INTO account (account_id, granted, time_zone, currency, created_at)
     SELECT $1 || '-many-' || gen_random_uuid(), 1000000000, 'UTC', 'USD', now()
     FROM generate_series(1, $2::integer)`,
    [prefix, accounts],
  );
  await books.database.query(
    "INSERT INTO balance_change (account_ids) SELECT array_agg(account_id) FROM account WHERE account_id LIKE $1",
    [`${prefix}-many-%`],
  );
  const sizes: number[] = [];
  await untilBalancesArePublished({
    ...balancePublisher,
    publish(records) {
      sizes.push(records.length);
      return balancePublisher.publish(records);
    },
  });
  const ours = () => balances.received.filter(({ key }) => key?.startsWith(`${prefix}-many-`));
  await eventually("all are published", () => ours().length === accounts, 20_000);
  expect(Math.max(...sizes), "more would keep the thread from metering").toBeLessThanOrEqual(1_000);
}, 60_000);

test.each([
  { order: "balances first, then the outbox", steps: ["balances", "outbox"] as const },
  { order: "the outbox first, then balances", steps: ["outbox", "balances"] as const },
])("the last record of billing.balances is the newest state: $order", async ({ steps }) => {
  const account = `${prefix}-last-${steps[0]}`;
  await openAccount(books, account);
  await setPrice(books, account, 1n);
  const usage = usageBatches(books, account);
  await usage.debit([{ eventId: "one", accountId: account, quantity: 5n, meter: account }]);
  const grant = { lotId: "lot", credits: 100n, source: "top_up", reference: "" } as const;
  const end = { kind: "never" } as const;
  await grantCredits(books.database, toAccountId(account), { ...grant, end }, Date.now());
  await usage.debit([{ eventId: "two", accountId: account, quantity: 7n, meter: account }]);
  for (const step of steps) {
    await (step === "outbox" ? relayAll() : untilBalancesArePublished());
  }
  const last = () => balances.received.findLast(({ key }) => key === account);
  await eventually("the topic holds the account", () => last() !== undefined);
  await eventually("all records have come", async () => last()?.record.balance === 88n).catch(
    () => undefined,
  );
  expect(last()?.record).toMatchObject({ balance: 88n, version: 4n });
  expect(last()?.sequence).toBe("4");
});

async function leaveLowBalances(name: string, ...crossings: bigint[]): Promise<void> {
  const accountId = toAccountId(`${prefix}-${name}`);
  await inTransaction(books.database, async (transaction) => {
    const said = {
      ...{ accountId, balance: 0n, threshold: 0n, cause: "event:e", occurredAt: 0 },
      needed: true,
    };
    await putInOutbox(
      transaction,
      crossings.map((crossing) => lowBalanceRecord({ ...said, crossing })),
    );
  });
}

function crossingsOf(name: string): (string | null)[] {
  return lowBalances.received
    .filter(({ key }) => key === `${prefix}-${name}`)
    .map(({ sequence, record }) => {
      expect(record.crossing.toString()).toBe(sequence);
      return sequence;
    });
}

async function relayAll(): Promise<void> {
  while (await relayOutbox(books.database, publisher));
  expect(await countRows("outbox")).toBe(0);
  expect(await countRows("dead_letter WHERE published_at IS NULL")).toBe(0);
}

async function setMaxBytes(topic: string, bytes: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    await admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: topic,
          configEntries: [{ name: "max.message.bytes", value: bytes }],
        },
      ],
    });
  } finally {
    await admin.disconnect();
  }
}

async function untilBalancesArePublished(by: FencedPublisher = balancePublisher): Promise<void> {
  await eventually("no balance waits", async () => {
    await publishBalances(books.database, by);
    return (await countRows("balance_change")) === 0;
  });
}

async function countRows(table: string): Promise<number> {
  const { rows } = await books.database.query<{ n: number }>(
    `SELECT count(*)::integer AS n FROM ${table}`,
  );
  return rows[0]?.n ?? -1;
}

/** Ends the open transaction, as Postgres does with one that has been idle for too long. */
async function cutOtherConnections(): Promise<void> {
  await books.database.query(
    `SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
     WHERE datname = current_database() AND state = 'idle in transaction'`,
  );
}

test("the registry refuses usage that metering could not read, also where an earlier version let it through", async () => {
  const subject = `${prefix}-value`;
  const ask = async (path: string, method: string, body: object) => {
    const answer = await fetch(`${settings.registry.url}/${path}`, {
      method,
      headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
      body: JSON.stringify(body),
    });
    return answer.status;
  };
  const usage = { ...SCHEMAS.usageEvents, subject };
  const registry = openRegistry(settings.registry);
  await registry.register({ ...usage, compatibility: "BACKWARD" });
  await registry.register(usage);

  const { fields, ...record } = JSON.parse(usage.text);
  const evolve = (change: (field: { name: string }) => object | null, more: object[] = []) => {
    const changed = fields.flatMap((field: { name: string }) => change(field) ?? []);
    const schema = JSON.stringify({ ...record, fields: [...changed, ...more] });
    return ask(`subjects/${subject}/versions`, "POST", { schema });
  };
  const only = (name: string, type: object | string) => (field: { name: string }) =>
    field.name === name ? { name, type } : field;
  expect(await evolve(only("quantity", "double"))).toBe(409);
  expect(await evolve(only("source", ["null", "string"]))).toBe(409);
  expect(await evolve((field) => (field.name === "quantity" ? null : field))).toBe(409);
  const region = { name: "region", type: "string", default: "" };
  expect(await evolve((field) => field, [region])).toBe(200);
  // Without a source, and then with one of another type: the newest version alone would not refuse it.
  const withoutSource = (field: { name: string }) => (field.name === "source" ? null : field);
  expect(await evolve(withoutSource, [region])).toBe(200);
  expect(await evolve(withoutSource, [region, { name: "source", type: "int" }])).toBe(409);
});

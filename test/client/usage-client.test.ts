/**
 * What a product service may rely on:
 *
 * - what is wrong is refused before anything is sent, and the good events around it are published
 * - an account's events are on one partition, the one Kafka's Java clients choose, in the order in which
 *   they were published
 * - `publish` resolves once Kafka has the event; `flush` and `close` leave nothing behind
 * - outages are waited out, without a second identity; after `giveUpAfterMs` each failed event is named
 */
import { randomBytes, randomUUID } from "node:crypto";
import { setImmediate as immediately } from "node:timers/promises";
import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import {
  InvalidUsage,
  openUsageClient,
  PublishFailed,
  type Usage,
  type UsageClient,
  type UsageClientOptions,
} from "../../shared/client/usage-client.ts";
import { TOPICS } from "../../shared/core/text/topics.ts";
import type { UsageEvent } from "../../shared/core/usage/usage-event.ts";
import { IncompatibleSchema } from "../../shared/kafka/codec/registry.ts";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { eventually } from "../support/eventually.ts";
import { FOREIGN_SCHEMAS } from "../support/kafka/foreign-schemas.ts";
import { testKafka } from "../support/kafka/kafka.ts";
import { takeUsageTopic } from "../support/kafka/usage-topic.ts";
import { followUsage, type UsageFollower } from "./follow-usage.ts";
import { type KafkaLine, layKafkaLine } from "./kafka-line.ts";
import { aliasRegistry } from "./registry-alias.ts";

const { kafka: kafkaSettings, registry } = readSettings(process.env);
const [broker = ""] = kafkaSettings.brokers;
const NOBODY = { brokers: ["127.0.0.1:9"] };
const MINUTE = 60_000;

const kafka = testKafka();
const prefix = `client-${randomBytes(4).toString("hex")}`;
let accounts = 0;
let partitions: number;
let topic: UsageFollower;
let giveTopicBack: () => Promise<void>;

beforeAll(async () => {
  giveTopicBack = await takeUsageTopic(kafka);
  const admin = kafka.admin();
  await admin.connect();
  partitions = (await admin.fetchTopicOffsets(TOPICS.usageEvents)).length;
  await admin.disconnect();
  topic = await followUsage(kafka);
}, 300_000);

afterAll(async () => {
  await topic?.stop();
  await giveTopicBack?.();
});

describe("an event", () => {
  test("gets a UUIDv7 and the current time when it has neither", async () => {
    const client = openClient();
    const accountId = newAccount();
    const before = Date.now();
    const event = await client.publish({ accountId, meter: "call", quantity: 1 });
    const after = Date.now();
    expect(event.eventId).toMatch(
      /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
    );
    for (const time of [timeOf(event.eventId), event.occurredAt]) {
      expect(time).toBeGreaterThanOrEqual(before);
      expect(time).toBeLessThanOrEqual(after);
    }
    expect(event).toMatchObject({ accountId, meter: "call", quantity: 1n, source: "" });
    const [kept] = await keptOf(accountId, 1);
    expect(kept?.record).toEqual(recordOf(event));
  });

  test("keeps its own, and can be read with the registry's schema by any Avro client", async () => {
    const client = openClient({ source: "chat-api" });
    const usage = {
      accountId: newAccount(),
      meter: "llm.input_tokens",
      quantity: 4_808n,
      eventId: `${prefix} – call 17`,
      occurredAt: new Date(Date.now() - 90 * MINUTE),
      dimensions: { model: "größte", region: "eu", "": "" },
      quantities: { "llm.cached_tokens": 4_096, "llm.output_tokens": 391n },
      holdId: "run-1",
    };
    await client.publish(usage);
    await client.publish({ ...usage, eventId: "other", source: "batch" });
    const [first, second] = await keptOf(usage.accountId, 2);
    expect(first?.key).toBe(usage.accountId);
    expect(await new SchemaRegistry({ host: registry.url }).decode(bytesOf(first))).toMatchObject({
      event_id: usage.eventId,
      account_id: usage.accountId,
      meter: "llm.input_tokens",
      quantity: 4_808,
      occurred_at: usage.occurredAt.getTime(),
      source: "chat-api",
      dimensions: usage.dimensions,
      quantities: { "llm.cached_tokens": 4_096, "llm.output_tokens": 391 },
      hold_id: "run-1",
    });
    expect(second?.record.source).toBe("batch");
  });

  test("may have the largest quantity that the books store", async () => {
    const client = openClient();
    const accountId = newAccount();
    await client.publish({ accountId, meter: "call", quantity: 2n ** 63n - 1n });
    expect((await keptOf(accountId, 1))[0]?.record.quantity).toBe(2n ** 63n - 1n);
  });

  test("is published as passed, whatever its caller writes into it afterwards", async () => {
    const client = openClient();
    const accountId = newAccount();
    const dimensions = { model: "" };
    const publishing = ["small", "large", "\0"].map((model) => {
      dimensions.model = model;
      return client.publish({ accountId, meter: "call", quantity: 1, dimensions });
    });
    const outcomes = await Promise.allSettled(publishing);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    const kept = await keptOf(accountId, 2);
    expect(kept.map(({ record }) => record.dimensions["model"])).toEqual(["small", "large"]);
  });
});

describe("is refused before anything is sent, and the events around it are published:", () => {
  test.each<{ what: string; wrong: object; says: RegExp }>([
    { what: "an empty account", wrong: { accountId: "" }, says: /account_id is empty/ },
    { what: "an account of 257 characters", wrong: { accountId: "a".repeat(257) }, says: /257/ },
    { what: "an empty meter", wrong: { meter: "" }, says: /meter is empty/ },
    { what: "an empty id", wrong: { eventId: "" }, says: /event_id is empty/ },
    { what: "a negative quantity", wrong: { quantity: -1 }, says: /negative_quantity/ },
    { what: "half a unit", wrong: { quantity: 0.5 }, says: /0\.5 is not a whole number/ },
    { what: "not a number", wrong: { quantity: Number.NaN }, says: /NaN is not a whole number/ },
    { what: "a number that lost digits", wrong: { quantity: 2 ** 53 }, says: /bigint/ },
    { what: "more than 64 bits", wrong: { quantity: 2n ** 63n }, says: /overflow/ },
    { what: "an hour ahead", wrong: { occurredAt: minutesAgo(-60) }, says: /too_far_ahead/ },
    { what: "36 days ago", wrong: { occurredAt: minutesAgo(36 * 1440) }, says: /too_long_ago/ },
    { what: "no date", wrong: { occurredAt: new Date("31.2.") }, says: /not a date/ },
    { what: "half a surrogate pair in an id", wrong: { eventId: "a\ud800" }, says: /surrogate/ },
    { what: "half a pair in a dimension", wrong: { dimensions: { a: "\udc00" } }, says: /surrog/ },
    { what: "half a pair in a name", wrong: { dimensions: { "\ud800": "" } }, says: /surrogate/ },
    { what: "NUL in an account", wrong: { accountId: "a\0" }, says: /NUL/ },
    { what: "NUL in the source", wrong: { source: "\0" }, says: /NUL/ },
    { what: "65 dimensions", wrong: { dimensions: dimensions(65) }, says: /more than 64/ },
    // From JavaScript, or through a cast.
    {
      what: "a dimension left empty",
      wrong: { dimensions: { a: undefined } },
      says: /dimension a/,
    },
    { what: "an account of null", wrong: { accountId: null }, says: /accountId is not text/ },
    { what: "a meter of a number", wrong: { meter: 1 }, says: /meter is not text/ },
    { what: "a source of a number", wrong: { source: 1 }, says: /source is not text/ },
    { what: "a quantity of null", wrong: { quantity: null }, says: /quantity is not a number/ },
    { what: "a quantity as text", wrong: { quantity: "1" }, says: /quantity is not a number/ },
    {
      what: "a further quantity that is a fraction",
      wrong: { quantities: { output: 1.5 } },
      says: /the quantity of output 1.5 is not a whole number/,
    },
    {
      what: "a meter that is named twice",
      wrong: { quantities: { call: 1 } },
      says: /meter call is named twice/,
    },
    { what: "a dimension of a number", wrong: { dimensions: { a: 1 } }, says: /dimension a/ },
  ])("$what", async ({ wrong, says }) => {
    const client = openClient();
    const good = { accountId: newAccount(), meter: "call", quantity: 1 };
    const [before, refusal, after] = await Promise.allSettled([
      client.publish({ ...good, eventId: "before" }),
      client.publish({ ...good, eventId: "wrong", ...wrong }),
      client.publish({ ...good, eventId: "after" }),
    ]);
    expect([before.status, after.status]).toEqual(["fulfilled", "fulfilled"]);
    expect(reasonOf(refusal)).toBeInstanceOf(InvalidUsage);
    expect(reasonOf(refusal)?.message).toMatch(says);
    const kept = await keptOf(good.accountId, 2);
    expect(kept.map(({ record }) => record.event_id)).toEqual(["before", "after"]);
  });

  test("immediately, also while Kafka is down", async () => {
    const client = openClient({ kafka: NOBODY, maxPending: 1, giveUpAfterMs: 1_000 });
    const waiting = client.publish({ accountId: "a", meter: "call", quantity: 1 });
    const refused = client.publish({ accountId: "", meter: "call", quantity: 1 });
    const first = await Promise.race([settle(waiting), settle(refused)]);
    expect(first).toBeInstanceOf(InvalidUsage);
    expect(await settle(waiting)).toBeInstanceOf(PublishFailed);
  });
});

// Kafka's own examples, of org.apache.kafka.common.utils.UtilsTest.
test.each([
  ["21", -973932308],
  ["foobar", -790332482],
  ["a-little-bit-long-string", -985981536],
  ["a-little-bit-longer-string", -1486304829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
  ["abc", 479470107],
])("account %s is on the partition chosen by Kafka's Java client", async (accountId, hash) => {
  const client = openClient();
  const { eventId } = await client.publish({ accountId, meter: "call", quantity: 1 });
  const found = () => topic.kept.find(({ record }) => record.event_id === eventId);
  await eventually("the event is in Kafka", () => found() !== undefined);
  expect(found()?.partition).toBe((hash & 0x7fffffff) % partitions);
});

describe("events published concurrently", () => {
  test("travel in few requests, compressed, each account's in order on one partition", async () => {
    const line = await layLine();
    const client = openClient();
    const ids = Array.from({ length: 20 }, newAccount);
    const publishing = Array.from({ length: 5_000 }, (_, index) =>
      client.publish({ accountId: ids[index % 20] ?? "", meter: "call", quantity: index }),
    );
    const events = await Promise.all(publishing);
    expect(line.produceRequests).toBeLessThanOrEqual(6);
    // Their ids alone are 36 bytes each.
    expect(line.produceBytes / events.length).toBeLessThan(36);
    for (const accountId of ids) {
      const kept = await keptOf(accountId, 250);
      expect(new Set(kept.map(({ partition }) => partition)).size).toBe(1);
      expect(kept.map(({ record }) => record.event_id)).toEqual(
        events.filter((event) => event.accountId === accountId).map(({ eventId }) => eventId),
      );
    }
  });

  test("of one account may be large: two thousand of a kilobyte all arrive", async () => {
    const client = openClient();
    const accountId = newAccount();
    const dimensions = { note: "x".repeat(1_000) };
    await Promise.all(
      Array.from({ length: 2_000 }, (_, index) =>
        client.publish({ accountId, meter: "call", quantity: index, dimensions }),
      ),
    );
    await keptOf(accountId, 2_000);
  });

  test("wait for room where the caller awaits it: the number in flight is limited", async () => {
    const line = await layLine();
    const client = openClient({ maxPending: 10 });
    const accountId = newAccount();
    for (let index = 0; index < 200; index += 1) {
      await client.ready();
      client.publish({ accountId, meter: "call", quantity: index });
    }
    await client.flush();
    expect(line.produceRequests).toBeGreaterThanOrEqual(20);
    const kept = await keptOf(accountId, 200);
    expect(kept.map(({ record }) => Number(record.quantity))).toEqual(
      Array.from({ length: 200 }, (_, index) => index),
    );
  });

  test("make `ready` wait until one is acknowledged or has failed", async () => {
    const happened: string[] = [];
    const client = openClient({ kafka: NOBODY, maxPending: 2, giveUpAfterMs: 1_000 });
    await client.ready();
    const failing = publishMany(client, newAccount(), 2).map((publishing) =>
      publishing.catch(() => happened.push("failed")),
    );
    await client.ready().then(() => happened.push("ready"));
    await Promise.all(failing);
    expect(happened).toEqual(["failed", "failed", "ready"]);
  });
});

describe("flush", () => {
  test("waits for what was published just before it", async () => {
    const client = openClient();
    let acknowledged = 0;
    for (const publishing of publishMany(client, newAccount(), 3_000)) {
      publishing.then(() => {
        acknowledged += 1;
      });
    }
    await client.flush();
    expect(acknowledged).toBe(3_000);
  });

  test("does not wait for what is published after it", async () => {
    const client = openClient();
    const accountId = newAccount();
    let flushed = false;
    const publishing = (async () => {
      while (!flushed) {
        await client.ready();
        client.publish({ accountId, meter: "call", quantity: 1 });
        await immediately();
      }
    })();
    await client.flush();
    flushed = true;
    await publishing;
  });

  test("of a client that published nothing resolves immediately", async () => {
    await openClient({ kafka: NOBODY }).flush();
  });
});

describe("close", () => {
  test("waits for what was published just before it, including what waits for room", async () => {
    const client = openClient({ maxPending: 10 });
    const accountId = newAccount();
    let acknowledged = 0;
    for (const publishing of publishMany(client, accountId, 100)) {
      publishing.then(() => {
        acknowledged += 1;
      });
    }
    await client.close();
    expect(acknowledged).toBe(100);
    expect(await keptOf(accountId, 100)).toHaveLength(100);
  });

  test("ends publishing, and may be called again", async () => {
    const client = openClient();
    await client.close();
    const usage = { accountId: newAccount(), meter: "call", quantity: 1 };
    await expect(client.publish(usage)).rejects.toThrow("the usage client is closed");
    await client.close();
  });
});

describe("while Kafka is unreachable", () => {
  test("each event eventually fails by name, and can be published again unchanged", async () => {
    const client = openClient({ kafka: NOBODY, giveUpAfterMs: 500 });
    const accountId = newAccount();
    const failures = await Promise.all(publishMany(client, accountId, 3).map(settle));
    const events: UsageEvent[] = [];
    for (const failure of failures) {
      if (!(failure instanceof PublishFailed)) throw failure;
      expect(failure.message).toContain(failure.event.eventId);
      events.push(failure.event);
    }
    const again = openClient();
    for (const event of events) expect(await again.publish(event)).toEqual(event);
    const kept = await keptOf(accountId, 3);
    expect(kept.map(({ record }) => record)).toEqual(events.map(recordOf));
  });

  test("events behind others fail at their own deadlines, not batch by batch", async () => {
    const client = openClient({ kafka: NOBODY, giveUpAfterMs: 500 });
    const failures = publishMany(client, newAccount(), 9_000).map(settle);
    expect(await failures[0]).toBeInstanceOf(PublishFailed);
    const firstAt = performance.now();
    expect((await Promise.all(failures)).every((error) => error instanceof PublishFailed)).toBe(
      true,
    );
    expect(performance.now() - firstAt).toBeLessThan(1_000);
  });

  test("events wait, and all arrive once it is back", async () => {
    const line = await layLine();
    line.cut();
    const client = openClient();
    const accountId = newAccount();
    const publishing = publishMany(client, accountId, 50);
    await eventually("the client has tried", () => line.refused > 1);
    line.mend();
    await Promise.all(publishing);
    const kept = await keptOf(accountId, 50);
    expect(new Set(kept.map(({ record }) => record.event_id)).size).toBe(50);
  });

  test("events that Kafka has although its answer was lost keep their id when sent again", async () => {
    const line = await layLine();
    const client = openClient();
    const accountId = newAccount();
    await client.publish({ accountId, meter: "call", quantity: 0 });
    line.loseAnswers();
    const publishing = publishMany(client, accountId, 500);
    await keptOf(accountId, 501);
    line.cut();
    await eventually("the client has tried again", () => line.refused > 0);
    line.mend();
    const events = await Promise.all(publishing);
    await client.publish({ accountId, meter: "call", quantity: 501 });
    await eventually(
      "the last is there",
      () => topic.of(accountId).at(-1)?.record.quantity === 501n,
    );
    const ids = [...new Set(topic.of(accountId).map(({ record }) => record.event_id))];
    expect(ids.slice(1, -1)).toEqual(events.map(({ eventId }) => eventId));
  });
});

describe("the schema registry", () => {
  test("refuses our record: the event fails immediately with the reason", async () => {
    const { url, subject } = await aliasedSubject();
    await new SchemaRegistry({ host: registry.url }).register(
      { type: SchemaType.AVRO, schema: JSON.stringify(FOREIGN_SCHEMAS.unrelated) },
      { subject },
    );
    const client = openClient({ registry: { url }, giveUpAfterMs: 10 * MINUTE });
    const failure = await settle(
      client.publish({ accountId: newAccount(), meter: "call", quantity: 1 }),
    );
    expect(failure).toBeInstanceOf(PublishFailed);
    expect(failure).toMatchObject({ cause: expect.any(IncompatibleSchema) });
    expect((failure as Error).message).toMatch(/usage\.events-value.*incompatible/i);
  });

  test("is down: events wait, and all arrive once it is back", async () => {
    const { url, alias } = await aliasedSubject();
    alias.setAway(true);
    const client = openClient({ registry: { url } });
    const accountId = newAccount();
    const publishing = publishMany(client, accountId, 10);
    await eventually("the client has asked", () => alias.missed > 0);
    alias.setAway(false);
    await Promise.all(publishing);
    expect(await keptOf(accountId, 10)).toHaveLength(10);
  });
});

function openClient(options: Partial<UsageClientOptions> = {}): UsageClient {
  const client = openUsageClient({ kafka: kafkaSettings, registry, ...options });
  onTestFinished(() => client.close());
  return client;
}

async function layLine(): Promise<KafkaLine> {
  const line = await layKafkaLine(broker);
  onTestFinished(() => line.remove());
  return line;
}

/** The registry, with a separate subject in place of that of usage events. */
async function aliasedSubject() {
  const subject = `test-${randomUUID()}`;
  const alias = await aliasRegistry(registry.url, SCHEMAS.usageEvents.subject, subject);
  onTestFinished(() => alias.close());
  return { url: alias.url, subject, alias };
}

function newAccount(): string {
  accounts += 1;
  return `${prefix}-${accounts}`;
}

/** Publishes events with quantities from 1 on, without waiting. */
function publishMany(client: UsageClient, accountId: string, count: number) {
  return Array.from({ length: count }, (_, index) =>
    client.publish({ accountId, meter: "call", quantity: index + 1 }),
  );
}

/** The account's events in Kafka, once there are `count`. */
async function keptOf(accountId: string, count: number) {
  await eventually(`${count} events of ${accountId}`, () => topic.of(accountId).length >= count);
  return topic.of(accountId);
}

function settle(publishing: Promise<UsageEvent>): Promise<unknown> {
  return publishing.then(
    () => null,
    (error: unknown) => error,
  );
}

function reasonOf(outcome: PromiseSettledResult<unknown>): Error | null {
  return outcome.status === "rejected" ? (outcome.reason as Error) : null;
}

function bytesOf(kept: { value: Buffer } | undefined): Buffer {
  if (kept === undefined) throw new Error("there is no such event");
  return kept.value;
}

function recordOf(event: UsageEvent) {
  return {
    event_id: event.eventId,
    account_id: event.accountId,
    meter: event.meter,
    quantity: event.quantity,
    occurred_at: event.occurredAt,
    source: event.source,
    dimensions: event.dimensions,
    quantities: event.quantities,
    hold_id: event.holdId,
  };
}

/** The first 48 bits of a UUIDv7. */
function timeOf(id: string): number {
  return Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);
}

function minutesAgo(minutes: number): Date {
  return new Date(Date.now() - minutes * MINUTE);
}

function dimensions(count: number): Usage["dimensions"] & object {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`d${index}`, ""]));
}

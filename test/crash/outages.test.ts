import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../../infra/local/free-port.ts";
import { type LocalStack, startStack } from "../../infra/local/stack.ts";
import { setUp } from "../../infra/set-up.ts";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { connect, openAccount, setPrice } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { eventually } from "../support/eventually.ts";
import { FOREIGN_SCHEMAS, registerForeign } from "../support/kafka/foreign-schemas.ts";
import { collectTopic, rawProducer, testKafka } from "../support/kafka/kafka.ts";
import { openUsagePublisher, type UsagePublisher } from "../support/kafka/publish-usage.ts";
import { long, text, usageBytes, withSchemaId } from "../support/kafka/usage-bytes.ts";
import { untilCaughtUp } from "../support/kafka/usage-topic.ts";
import { type MeteringProcess, startMetering } from "../support/processes/metering-process.ts";
import { openPostgresProxy } from "../support/processes/tcp-proxy.ts";
import { ownPorts } from "../support/stack/ports.ts";
import { quickJava } from "../support/stack/quick-java.ts";

/**
 * Servers go away and come back, at the start and while one and the same metering process runs. On
 * separate servers; the tests run in this order.
 */
const PORTS = ownPorts(1);
const ACCOUNT = "outages";

let dataDir: string;
let stack: LocalStack;
let env: NodeJS.ProcessEnv;
let database: Database;
let metering: MeteringProcess;
let usage: UsagePublisher;
let published = 0;
const newerIds: number[] = [];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "drawdown-outages-"));
  stack = await startStack({ dataDir, ports: PORTS, ...quickJava(), say: () => undefined });
  env = { ...process.env, ...stack.env };
  await setUp({ ...env, ...stack.setUpEnv }, () => undefined);
  database = connect(stack.env.DATABASE_URL);
  await setPrice({ database }, "call", 1n);
  await openAccount({ database }, ACCOUNT, { lots: [{ credits: 1_000_000n }] });
  usage = await openUsagePublisher(testKafka(env), env);
  for (const note of ["one", "two"]) {
    const schema = { ...FOREIGN_SCHEMAS.newer, doc: note };
    newerIds.push(await registerForeign(schema, "AVRO", stack.env.SCHEMA_REGISTRY_URL));
  }
}, 120_000);

afterAll(async () => {
  await metering?.kill();
  await usage?.close();
  await database?.end();
  await stack?.stop();
  await rm(dataDir, { recursive: true, force: true });
}, 60_000);

test("started while everything is down, it logs what it waits for and meters when all is back", async () => {
  await publish(20);
  const { postgres, kafka, registry } = stack.parts;
  await Promise.all([registry.kill(), kafka.kill(), postgres.kill()]);
  metering = startMetering(env);
  await metering.says(/waiting for the registry/);
  await postgres.start();
  await registry.start();
  await metering.says(/waiting for Kafka/);
  await kafka.start();
  await expectEverythingMetered();
}, 90_000);

test("the waits grow from a quarter of a second", () => {
  const waits = metering.log
    .filter(({ msg }) => /waiting for the registry/.test(msg))
    .map(({ waitMs }) => waitMs);
  expect(waits.slice(0, 4)).toEqual([250, 500, 1_000, 2_000].slice(0, waits.length));
  expect(waits.length).toBeGreaterThan(2);
});

test("started while only Postgres is unreachable, it logs that and waits", async () => {
  const port = await freePort(PORTS.postgres + 8, new Set());
  const databaseUrl = Object.assign(new URL(stack.env.DATABASE_URL), { port: String(port) });
  const second = startMetering({ ...env, DATABASE_URL: databaseUrl.href });
  await second.says(/waiting for Postgres/);
  const proxy = await openPostgresProxy(stack.env.DATABASE_URL, port);
  await second.says(/^metering$/);
  expect(await second.stop()).toBe(0);
  await proxy.close();
}, 60_000);

test("while the registry is down, known schemas are metered, others wait, and none is a dead letter", async () => {
  await stack.parts.registry.kill();
  await publish(20);
  await expectEverythingMetered();
  await publishNewer(newerIds[0]);
  const waiting = metering.log.length;
  await eventually("it waits for the registry", () =>
    metering.log.slice(waiting).some(({ msg }) => /waiting for the registry/.test(msg)),
  );
  await stack.parts.registry.start();
  await expectEverythingMetered();
}, 60_000);

test("while Postgres is down, it waits; nothing is lost or metered twice, and no schema counts as unknown", async () => {
  const load = keepPublishing();
  await stack.parts.postgres.kill();
  await publishNewer(newerIds[1]);
  const waiting = metering.log.length;
  await eventually("it waits for Postgres", () =>
    metering.log.slice(waiting).some(({ msg }) => /waiting for (Postgres|the registry)/.test(msg)),
  );
  await stack.parts.postgres.start();
  await load.stop();
  await expectEverythingMetered();
}, 60_000);

test("while Kafka is down, it waits, and then continues where it was", async () => {
  await publish(20);
  await stack.parts.kafka.kill();
  const waiting = metering.log.length;
  await eventually(
    "it notices",
    () => metering.log.slice(waiting).some(({ level }) => level === "warn"),
    20_000,
  );
  await stack.parts.kafka.start();
  await publish(20);
  await expectEverythingMetered();
}, 90_000);

test("afterwards the topic has the newest balance", async () => {
  const balances = await collectTopic<{ position: bigint }>(testKafka(env), SCHEMAS.balances);
  await eventually("the newest balance is told", () => {
    const told = balances.received.findLast(({ key }) => key === ACCOUNT);
    return told?.record.position === BigInt(published);
  });
  await balances.stop();
});

test("it was one process throughout, and it exits cleanly", async () => {
  expect(metering.log.filter(({ level }) => level === "fatal")).toEqual([]);
  expect(await metering.stop()).toBe(0);
});

async function publish(count: number): Promise<void> {
  const first = published;
  await usage.publish(
    Array.from({ length: count }, (_, index) => ({
      eventId: `event-${first + index}`,
      accountId: ACCOUNT,
      quantity: 1n,
    })),
  );
  published += count;
}

/** Publishes small batches until it is stopped. */
function keepPublishing(): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const loop = (async () => {
    while (!stopping.signal.aborted) await publish(10);
  })();
  loop.catch(() => undefined); // Reported by `stop`.
  return {
    stop() {
      stopping.abort();
      return loop;
    },
  };
}

/** An event of a schema new to this metering process. */
async function publishNewer(id = 0): Promise<void> {
  const producer = await rawProducer(testKafka(env));
  const fields = { accountId: ACCOUNT, meter: "call", quantity: 1n, source: "", dimensions: [] };
  const ours = usageBytes({ ...fields, eventId: `newer-${id}`, occurredAt: Date.now() });
  const value = withSchemaId(id, Buffer.concat([ours, text("eu"), long(0n)]));
  await producer.send({ topic: TOPICS.usageEvents, messages: [{ key: ACCOUNT, value }] });
  published += 1;
  await producer.disconnect();
}

async function expectEverythingMetered(): Promise<void> {
  await untilCaughtUp(testKafka(env), database, 30_000);
  expect(await numberOf("dead_letter")).toBe(0);
  expect(await numberOf("usage_record")).toBe(published);
  expect(await brokenInvariants(database)).toEqual([]);
}

async function numberOf(table: string): Promise<number> {
  const { rows } = await database.query<{ n: number }>(
    `SELECT count(*)::integer AS n FROM ${table}`,
  );
  return rows[0]?.n ?? -1;
}

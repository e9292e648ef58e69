import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kafka, logLevel } from "kafkajs";
import pg from "pg";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type LocalStack, startStack } from "../../../infra/local/stack.ts";
import { eventually } from "../../support/eventually.ts";
import { living } from "../../support/living.ts";

/** Boots the real servers on separate ports; the tests run in this order on one data folder. */
const PORTS = { postgres: 27_432, kafka: 27_092, kafkaController: 27_093, registry: 27_081 };

let dataDir: string;
let stack: LocalStack;

const startOn = (folder: string, fresh = false) =>
  startStack({ dataDir: folder, fresh, ports: PORTS, say: () => undefined });
const start = (fresh = false) => startOn(dataDir, fresh);

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "drawdown-stack-"));
  stack = await start();
}, 120_000);

afterAll(async () => {
  await stack?.stop();
  await rm(dataDir, { recursive: true, force: true });
}, 60_000);

const FIRST = { type: "record", name: "Note", fields: [{ name: "id", type: "string" }] };
const INCOMPATIBLE = {
  ...FIRST,
  fields: [...FIRST.fields, { name: "text", type: "string" }],
};

test("all three servers accept data", async () => {
  await sql("CREATE TABLE note (id text)");
  await sql("INSERT INTO note VALUES ('kept')");
  await createTopic("notes");
  expect(await register(FIRST)).toEqual({ status: 200, id: 1 });
});

test("a second stack on the same data folder is refused", async () => {
  await expect(start()).rejects.toThrow(
    `Process ${process.pid} already runs a stack on ${dataDir}`,
  );
});

test("the registry refuses a schema that cannot read old records", async () => {
  await setCompatibility("BACKWARD");
  expect(await register(INCOMPATIBLE)).toMatchObject({ status: 409 });
});

test("a killed registry comes back with the same ids", async () => {
  await stack.parts.registry.kill();
  expect(stack.parts.registry.pid).toBeUndefined();
  await stack.parts.registry.start();
  expect(await register(FIRST)).toEqual({ status: 200, id: 1 });
}, 60_000);

test("a killed Postgres comes back with what was committed, and the registry reconnects", async () => {
  await stack.parts.postgres.kill();
  await stack.parts.postgres.start();
  expect(await sql("SELECT id FROM note")).toEqual([{ id: "kept" }]);
  await eventually("the registry answers", async () => (await register(FIRST)).status === 200);
}, 60_000);

test("after a stop no process is left, and the next start finds all data", async () => {
  const pids = Object.values(stack.parts).flatMap(({ pid }) => pid ?? []);
  expect(pids).toHaveLength(3);
  await stack.parts.kafka.kill();
  await stack.stop();
  expect(await living(pids)).toEqual([]);

  stack = await start();
  expect(await sql("SELECT id FROM note")).toEqual([{ id: "kept" }]);
  expect(await topics()).toContain("notes");
  expect(await register(FIRST)).toEqual({ status: 200, id: 1 });
}, 90_000);

test("a fresh start finds no data", async () => {
  await stack.stop();
  stack = await start(true);
  expect(await sql("SELECT to_regclass('note') AS note")).toEqual([{ note: null }]);
  expect(await topics()).toEqual([]);
}, 60_000);

test("two stacks started together have separate ports and servers", async () => {
  await stack.stop();
  const otherDir = await mkdtemp(join(tmpdir(), "drawdown-stack-"));
  const [one, other] = await Promise.allSettled([start(), startOn(otherDir)]);
  if (one.status === "fulfilled") stack = one.value;
  onTestFinished(async () => {
    if (other.status === "fulfilled") await other.value.stop();
    await rm(otherDir, { recursive: true, force: true });
  });
  if (one.status === "rejected") throw one.reason;
  if (other.status === "rejected") throw other.reason;

  expect(new Set([...addresses(stack), ...addresses(other.value)]).size).toBe(6);
  await sql("CREATE TABLE of_one (id text)");
  await createTopic("of-one");
  expect(await register(FIRST)).toMatchObject({ status: 200 });
  const absent = [{ found: null }];
  expect(await sql("SELECT to_regclass('of_one') AS found", other.value)).toEqual(absent);
  expect(await topics(other.value)).toEqual([]);
  expect(await subjects(stack)).toEqual(["notes-value"]);
  expect(await subjects(other.value)).toEqual([]);
}, 120_000);

function addresses({ env }: LocalStack): string[] {
  const url = new URL(env.DATABASE_URL);
  return [url.host, env.KAFKA_BROKERS, new URL(env.SCHEMA_REGISTRY_URL).host];
}

async function subjects({ env }: LocalStack): Promise<unknown> {
  return await (await fetch(`${env.SCHEMA_REGISTRY_URL}/subjects`)).json();
}

async function sql(text: string, on = stack): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: on.env.DATABASE_URL });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

async function createTopic(topic: string): Promise<void> {
  await withAdmin((admin) => admin.createTopics({ topics: [{ topic, numPartitions: 1 }] }));
}

async function topics(on = stack): Promise<string[]> {
  return await withAdmin((admin) => admin.listTopics(), on);
}

async function withAdmin<T>(
  use: (admin: ReturnType<Kafka["admin"]>) => Promise<T>,
  on = stack,
): Promise<T> {
  const brokers = [on.env.KAFKA_BROKERS];
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 10 } }).admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

async function setCompatibility(compatibility: string): Promise<void> {
  await registry("PUT", "/config/notes-value", { compatibility });
}

async function register(schema: object): Promise<{ status: number; id?: unknown }> {
  const body = { schemaType: "AVRO", schema: JSON.stringify(schema) };
  const answer = await registry("POST", "/subjects/notes-value/versions", body);
  return { status: answer.status, ...(answer.ok ? { id: answer.body["id"] } : {}) };
}

async function registry(method: string, path: string, body: object) {
  const answer = await fetch(`${stack.env.SCHEMA_REGISTRY_URL}${path}`, {
    method,
    headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
    body: JSON.stringify(body),
  });
  const said: Record<string, unknown> = JSON.parse(await answer.text());
  return { status: answer.status, ok: answer.ok, body: said };
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kafka, logLevel } from "kafkajs";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { permitGuest } from "../../../infra/kafka/permit-guest.ts";
import { type LocalStack, startStack } from "../../../infra/local/stack.ts";
import { setUp } from "../../../infra/set-up.ts";
import { METERING, TOP_UP, TOPICS } from "../../../shared/core/text/topics.ts";
import { openKafka } from "../../../shared/kafka/client/kafka-client.ts";
import { requireRights } from "../../../shared/ledger/postgres/missing-rights.ts";
import { createLogger } from "../../../shared/runtime/logger.ts";
import { readSettings } from "../../../shared/runtime/settings.ts";
import { connect } from "../../support/books/books.ts";
import { drawdown } from "../../support/cli/drawdown.ts";
import { eventually } from "../../support/eventually.ts";
import { living } from "../../support/living.ts";
import { quickJava } from "../../support/stack/quick-java.ts";

/** Boots the real servers on separate ports; the tests run in this order on one data folder. */
const PORTS = {
  ...{ postgres: 27_432, registry: 27_081 },
  ...{ kafka: 27_092, kafkaController: 27_093, kafkaServices: 27_094 },
};

const SILENT = createLogger("test", "silent");

let dataDir: string;
let stack: LocalStack;

const startOn = (folder: string, fresh = false) =>
  startStack({
    ...{ dataDir: folder, fresh, guarded: true, ports: PORTS },
    ...{ ...quickJava(), say: () => undefined },
  });
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

describe("a client that does not log in", () => {
  const guest = () =>
    new Kafka({
      brokers: [stack.env.KAFKA_BROKERS],
      logLevel: logLevel.NOTHING,
      retry: { retries: 2 },
    });
  const send = async (topic: string) => {
    const producer = guest().producer();
    await producer.connect();
    try {
      await producer.send({ topic, messages: [{ key: "one", value: "text" }] });
    } finally {
      await producer.disconnect();
    }
  };
  const read = async (topic: string, groupId: string) => {
    const consumer = guest().consumer({ groupId });
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    consumer.on("consumer.crash", ({ payload: { error, restart } }) => {
      if (!restart) reject(error);
    });
    await consumer.connect();
    try {
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({ eachMessage: async ({ message }) => resolve(`${message.value}`) });
      return await promise;
    } finally {
      await consumer.disconnect();
    }
  };

  beforeAll(async () => {
    await setUp(setUpEnv(), () => undefined);
  }, 60_000);

  test("publishes usage, and reads it in a group of its own", async () => {
    await send(TOPICS.usageEvents);
    expect(await read(TOPICS.usageEvents, "own")).toBe("text");
  });

  test.each(Object.values(TOPICS).filter((topic) => topic !== TOPICS.usageEvents))(
    "cannot write %s",
    async (topic) => {
      await expect(send(topic)).rejects.toThrow("Not authorized to access topics");
    },
  );

  test.each([METERING, TOP_UP, "api-one"])("cannot join the services' group %s", async (group) => {
    await expect(read(TOPICS.usageEvents, group)).rejects.toThrow("Not authorized to access group");
  });

  test("cannot create a topic, nor permit itself anything", async () => {
    const admin = guest().admin();
    await admin.connect();
    onTestFinished(() => admin.disconnect());
    await expect(admin.createTopics({ topics: [{ topic: "own" }] })).rejects.toThrow();
    await expect(permitGuest(admin, "User:ANONYMOUS")).rejects.toThrow(
      "Cluster authorization failed",
    );
  });

  test("who logs in with a wrong password is refused", async () => {
    const wrong = { ...stack.env, ...stack.servicesEnv, KAFKA_SASL_PASSWORD: "wrong" };
    const admin = openKafka(readSettings(wrong).kafka, "test", SILENT).admin();
    await expect(admin.connect()).rejects.toThrow("Authentication failed");
  });
});

describe("a role of Postgres", () => {
  const permissionDenied = expect.objectContaining({ code: "42501" });
  const as = (text: string, url = stack.env.DATABASE_URL) => sql(text, stack, url);
  const inRegistry = (url: string) => url.replace(/\/drawdown$/, "/registry");

  test.each([
    "DROP TABLE account",
    "TRUNCATE account",
    "ALTER TABLE account ADD COLUMN own text",
    "CREATE TABLE own (id text)",
    "CREATE TEMPORARY TABLE own (id text)",
    "DELETE FROM migration",
    "CREATE ROLE own",
    "CREATE DATABASE own",
    "SELECT rolpassword FROM pg_authid",
    "COPY account TO '/tmp/own'",
  ])("the services' cannot %s", async (text) => {
    await expect(as(text)).rejects.toEqual(permissionDenied);
  });

  test("the services' cannot read the registry's database", async () => {
    const url = inRegistry(stack.env.DATABASE_URL);
    await expect(as("SELECT 1", url)).rejects.toEqual(permissionDenied);
  });

  test("the owner's is no superuser, and the registry's cannot read the books", async () => {
    const roles = "SELECT rolname FROM pg_roles WHERE rolsuper OR rolcreatedb OR rolcreaterole";
    expect(await sql(roles)).toEqual([{ rolname: "drawdown" }]);
    const connects = `SELECT has_database_privilege('drawdown_registry', 'drawdown', 'CONNECT') AS yes`;
    expect(await sql(connects)).toEqual([{ yes: false }]);
    const tables = "SELECT DISTINCT tableowner AS owner FROM pg_tables WHERE schemaname = 'public'";
    const registered = await sql(tables, stack, inRegistry(stack.superuserUrl));
    expect(registered).toEqual([{ owner: "drawdown_registry" }]);
  });

  test("alone executes functions with the owner's rights", async () => {
    await sql("CREATE ROLE analyst");
    const open = await sql(`
      SELECT oid::regprocedure::text AS function FROM pg_proc
      WHERE pronamespace = 'public'::regnamespace AND prosecdef
        AND (has_function_privilege('analyst', oid, 'EXECUTE')
          OR NOT has_function_privilege('drawdown_app', oid, 'EXECUTE'))`);
    expect(open).toEqual([]);
  });

  test("is told what it lacks, and set-up grants it", async () => {
    const database = connect(stack.env.DATABASE_URL, 1);
    onTestFinished(() => database.end());
    await requireRights(database);
    await sql("REVOKE SELECT, DELETE ON account FROM drawdown_app");
    await sql("REVOKE SELECT ON lot FROM drawdown_app");
    await sql("REVOKE EXECUTE ON FUNCTION add_usage_month FROM drawdown_app");
    const env = { ...stack.env };
    const sentence =
      "the role drawdown_app of Postgres lacks rights: set-up grants them (npm run set-up with " +
      "DATABASE_OWNER_URL), or the tables' owner by: GRANT EXECUTE ON FUNCTION add_usage_month(timestamp " +
      "with time zone) TO drawdown_app, and 2 more";
    await expect(requireRights(database)).rejects.toThrow(sentence);
    expect(await drawdown(["doctor"], { env })).toMatchObject({ code: 1, stderr: `${sentence}\n` });
    expect(await drawdown(["account", "show", "acme"], { env })).toMatchObject({
      stderr: `${sentence}\n`,
    });
    await setUp(setUpEnv(), () => undefined);
    await requireRights(database);
  });
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

  const before = stack;
  stack = await start();
  expect(stack.env.DATABASE_URL).not.toBe(before.env.DATABASE_URL);
  for (const url of [before.superuserUrl, before.env.DATABASE_URL]) {
    await expect(sql("SELECT 1", stack, url)).rejects.toThrow("password authentication failed");
  }
  expect(await sql("SELECT id FROM note")).toEqual([{ id: "kept" }]);
  // A table that one role for everything has made.
  const owner = "SELECT tableowner AS owner FROM pg_tables WHERE tablename = 'note'";
  expect(await sql(owner)).toEqual([{ owner: "drawdown_owner" }]);
  expect(await topics()).toContain("notes");
  expect(await register(FIRST)).toEqual({ status: 200, id: 1 });
}, 90_000);

describe("two stacks started together, one of them fresh on the folder of before", () => {
  let otherDir: string;
  let other: LocalStack;

  beforeAll(async () => {
    await stack.stop();
    otherDir = await mkdtemp(join(tmpdir(), "drawdown-stack-"));
    const starts = await Promise.allSettled([start(true), startOn(otherDir)]);
    const [one, two] = starts;
    if (one.status === "fulfilled") stack = one.value;
    if (two.status === "fulfilled") other = two.value;
    for (const each of starts) if (each.status === "rejected") throw each.reason;
  }, 120_000);

  afterAll(async () => {
    await other?.stop();
    await rm(otherDir, { recursive: true, force: true });
  }, 60_000);

  test("a fresh start finds no data", async () => {
    expect(await sql("SELECT to_regclass('note') AS note")).toEqual([{ note: null }]);
    expect(await topics()).toEqual([]);
  });

  test("they have separate ports and servers", async () => {
    expect(new Set([...addresses(stack), ...addresses(other)]).size).toBe(6);
    await sql("CREATE TABLE of_one (id text)");
    await createTopic("of-one");
    expect(await register(FIRST)).toMatchObject({ status: 200 });
    const absent = [{ found: null }];
    expect(await sql("SELECT to_regclass('of_one') AS found", other)).toEqual(absent);
    expect(await topics(other)).toEqual([]);
    expect(await subjects(stack)).toEqual(["notes-value"]);
    expect(await subjects(other)).toEqual([]);
  });
});

function addresses({ env }: LocalStack): string[] {
  const url = new URL(env.DATABASE_URL);
  return [url.host, env.KAFKA_BROKERS, new URL(env.SCHEMA_REGISTRY_URL).host];
}

async function subjects({ env }: LocalStack): Promise<unknown> {
  return await (await fetch(`${env.SCHEMA_REGISTRY_URL}/subjects`)).json();
}

function setUpEnv(): NodeJS.ProcessEnv {
  return { ...process.env, ...stack.env, ...stack.servicesEnv, ...stack.setUpEnv };
}

async function sql(text: string, on = stack, url = on.superuserUrl): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
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
  const admin = openKafka(
    readSettings({ ...on.env, ...on.servicesEnv }).kafka,
    "test",
    SILENT,
  ).admin();
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

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { openUsageClient } from "../../shared/client/usage-client.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { DEFAULT_WINDOW } from "../../shared/core/usage/usage-event.ts";
import { grantCredits } from "../../shared/ledger/credits/grant-credits.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { followUsage, type UsageFollower } from "../client/follow-usage.ts";
import { type Books, openAccount, openBooks, setPrice } from "../support/books/books.ts";
import { eventually } from "../support/eventually.ts";
import { rawProducer, testKafka } from "../support/kafka/kafka.ts";
import { malformedRecords } from "../support/kafka/malformed-records.ts";
import { takeUsageTopic } from "../support/kafka/usage-topic.ts";
import { makeKey, testServer } from "../support/processes/api.ts";
import { publishPending } from "../support/processes/live-server.ts";
import { examplePackages, installPython, NO_PYTHON } from "../support/python.ts";
import { generateClient, pythonGenerator } from "./generated-client.ts";
import { installExamples } from "./install.ts";

/** The programs in examples/, run as their READMEs describe. */
const LOCAL = resolve(import.meta.dirname, "../../.local");
const run = promisify(execFile);
const kafka = testKafka();
const WITHIN_MS = 60_000;
const account = `example-${randomBytes(4).toString("hex")}`;

let folder: string;
let python: string | null;
let books: Books;
let topic: UsageFollower;
let giveTopicBack: () => Promise<void>;

beforeAll(async () => {
  // Inside the repository, so that the examples' dependencies are found in its node_modules.
  folder = await mkdtemp(join(LOCAL, "examples-"));
  const packages = [...(await examplePackages()), await pythonGenerator()];
  [python] = await Promise.all([
    installPython("python-consumer", packages),
    installExamples(folder),
  ]);
  giveTopicBack = await takeUsageTopic(kafka);
  topic = await followUsage(kafka);
  books = await openBooks();
  await setPrice(books, "llm.input_tokens", 1_000_000n);
  await openAccount(books, account, { lots: [{ credits: 10_000_000n }] });
}, 300_000);

afterAll(async () => {
  await topic?.stop();
  await giveTopicBack?.();
  await books?.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

test("the TypeScript product checks the allowance first, and publishes usage", async () => {
  const env = await serve(["read"]);
  const product = (...args: string[]) => example("product-typescript/main.ts", args, env);

  const request = [account, "request-1", "How are you?", new Date().toISOString()];
  expect(await product(...request)).toMatch(
    /^You asked: How are you\?\n10000000 micro-credits left/,
  );
  await eventually("its event is in Kafka", () => topic.of(account).length === 1);
  await product(...request);
  await eventually("it is there again", () => topic.of(account).length === 2);
  expect(topic.of(account)[1]?.record).toEqual(topic.of(account)[0]?.record);
  expect(topic.of(account)[0]?.record).toMatchObject({
    event_id: "request-1",
    quantity: 3n,
    source: "example-product",
  });

  await openAccount(books, `${account}-poor`);
  expect(await product(`${account}-poor`, "request-2", "How are you?")).toMatch(/^refused: /);
  expect(topic.of(`${account}-poor`)).toEqual([]);
});

test("the JavaScript product publishes over HTTP", async () => {
  const env = await serve(["ingest"]);
  const before = topic.of(account).length;
  expect(await example("product-javascript/main.js", [account, "1200", "-1"], env)).toMatch(
    /^1 accepted, 1 rejected\n.*quantity/,
  );
  await eventually("its event is in Kafka", () => topic.of(account).length === before + 1);
  expect(topic.of(account).at(-1)?.record).toMatchObject({
    meter: "llm.input_tokens",
    quantity: 1200n,
    dimensions: { model: "small" },
  });
});

test.for(["typescript", "python"] as const)(
  "the consumer in %s handles each record once",
  { timeout: 3 * WITHIN_MS },
  async (language, { skip }) => {
    if (language === "python") skip(python === null, NO_PYTHON);
    const reader = `${account}-${language}`;
    await beginNow([`${reader}-1`, `${reader}-2`]);
    await publishMalformed(reader);
    await openAccount(books, reader, { lots: [{ credits: 1n }] });
    await publishPending(books, 2);
    const env = { DATABASE: `${language}.db`, KAFKA_GROUP: `${reader}-1` };

    const first = start(language, env);
    await first.handles(reader);
    await first.stop();

    // Another group reads it again, into the same database.
    await grantCredits(books.database, toAccountId(reader), LATER, Date.now());
    await publishPending(books, 2);
    const second = start(language, { ...env, KAFKA_GROUP: `${reader}-2` });
    await second.handles(reader);
    await second.stop();
    expect([...first.of(reader), ...second.of(reader)].map(({ sequence }) => sequence)).toEqual([
      "1",
      "2",
    ]);
    expect(second.of(reader)[0]?.record).toMatchObject({ account_id: reader, kind: "grant" });
  },
);

test.for(["typescript", "python"] as const)(
  "a client generated in %s as docs/api.md describes is used as it shows",
  { timeout: 3 * WITHIN_MS },
  async (language, { skip }) => {
    if (language === "python") skip(python === null, NO_PYTHON);
    const { DRAWDOWN_URL: origin = "", DRAWDOWN_KEY: key = "" } = await serve(["admin"]);
    const owner = `${account}-generated-${language}`;
    const use = await generateClient(language, { folder, origin, key, account: owner, python });

    const refused = expect.stringMatching(/^404: .*nobody/);
    expect(await use()).toEqual([`${owner} has 0 micro-credits`, "1 accepted", refused]);

    for (const lotId of ["one", "two"]) {
      await grantCredits(books.database, toAccountId(owner), { ...LATER, lotId }, Date.now());
    }
    expect(await use()).toEqual([
      `${owner} has 10 micro-credits`,
      ...["one: 5 left", "two: 5 left", "1 accepted"],
      refused,
    ]);
    await eventually("its event is in Kafka", () => topic.of(owner).length > 0);
    expect(topic.of(owner)[0]?.record).toMatchObject({
      ...{ event_id: "request-1", source: "shop", quantity: 4808n },
      dimensions: { model: "gpt-5" },
    });
  },
);

/** A consumer passes what it cannot read. */
async function publishMalformed(key: string): Promise<void> {
  const producer = await rawProducer(kafka);
  await producer.send({ topic: TOPICS.credits, messages: malformedRecords(key) });
  await producer.disconnect();
}

/** Lets groups begin where the topics end now: other test files published hundreds of thousands of records. */
async function beginNow(groups: readonly string[]): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  const ends = await Promise.all(
    BILLING.map(async (topic) => ({ topic, partitions: await admin.fetchTopicOffsets(topic) })),
  );
  await admin.disconnect();
  const offsets = ends.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, high }) => ({ topic, partition, offset: high })),
  );
  await Promise.all(groups.map((groupId) => commit(groupId, offsets)));
}

const BILLING = [TOPICS.credits, TOPICS.lowBalance];

/** As a member of the group, which need not wait for messages, as the admin's `setOffsets` does. */
async function commit(
  groupId: string,
  offsets: readonly { topic: string; partition: number; offset: string }[],
): Promise<void> {
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
  await consumer.connect();
  await consumer.subscribe({ topics: BILLING });
  await consumer.run({ autoCommit: false, eachBatch: async () => undefined });
  await joined;
  await consumer.commitOffsets([...offsets]);
  await consumer.disconnect();
}

const TYPESCRIPT = [
  process.execPath,
  "--disable-warning=TimeoutNegativeWarning",
  "consumer-typescript/main.ts",
] as const;

const LATER = {
  lotId: "later",
  credits: 5n,
  source: "promotion",
  reference: "",
  end: { kind: "never" },
} as const;

/** The API with its own Kafka client, and a product's settings for it. */
async function serve(scopes: Parameters<typeof makeKey>[1]): Promise<Record<string, string>> {
  const client = openUsageClient(readSettings(process.env));
  onTestFinished(() => client.close());
  const app = await testServer(books, { usage: { client, window: DEFAULT_WINDOW } });
  const origin = await app.listen({ port: 0, host: "127.0.0.1" });
  return { DRAWDOWN_URL: origin, DRAWDOWN_KEY: await makeKey(books, scopes) };
}

async function example(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const options = { cwd: folder, env: { ...process.env, ...env }, timeout: 30_000 };
  const { stdout } = await run(process.execPath, [file, ...args], options);
  return stdout;
}

interface Consumer {
  /** The lines printed about an account. */
  of(accountId: string): { readonly sequence: string; readonly record: unknown }[];
  /** Waits for a line about an account. */
  handles(accountId: string): Promise<void>;
  stop(): Promise<void>;
}

function start(language: "typescript" | "python", env: Readonly<Record<string, string>>): Consumer {
  const [program, ...args] =
    language === "python" ? [python ?? "python3", "consumer-python/main.py"] : TYPESCRIPT;
  const child: ChildProcess = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: string[] = [];
  const errors: string[] = [];
  if (child.stdout !== null) createInterface(child.stdout).on("line", (line) => lines.push(line));
  if (child.stderr !== null) createInterface(child.stderr).on("line", (line) => errors.push(line));
  const of = (accountId: string) =>
    lines.flatMap((line) => {
      const [, named, sequence = "", record = "null"] =
        /^(?:\S+) (\S+) (\d+) (.*)$/.exec(line) ?? [];
      return named === accountId ? [{ sequence, record: JSON.parse(record) }] : [];
    });
  return {
    of,
    async handles(accountId) {
      const isHandled = () => of(accountId).length > 0;
      await eventually("the entry is handled", isHandled, WITHIN_MS).catch((error: Error) => {
        const seen = `${lines.length} records printed, on standard error: ${errors.slice(-10).join("\n")}`;
        throw new Error(`${error.message}; ${seen}`);
      });
    },
    async stop() {
      if (child.exitCode !== null) throw new Error(`the consumer has ended with ${child.exitCode}`);
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

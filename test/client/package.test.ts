/** What is packed, installed: the clients in a product service, and the command. */
import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fencedBlocks } from "../examples/readme-blocks.ts";
import { type Books, openAccount, openBooks } from "../support/books/books.ts";
import { eventually } from "../support/eventually.ts";
import { testKafka } from "../support/kafka/kafka.ts";
import { takeUsageTopic } from "../support/kafka/usage-topic.ts";
import { startMetering } from "../support/processes/metering-process.ts";
import { followUsage, type UsageFollower } from "./follow-usage.ts";

const REPOSITORY = resolve(import.meta.dirname, "../..");
const MODULES = join(REPOSITORY, "node_modules");
const account = `package-${randomBytes(4).toString("hex")}`;
const run = promisify(execFile);
const kafka = testKafka();

/** A product service, and another folder with the command. */
let folder: string;
let command: string;
let books: Books;
let topic: UsageFollower;
let giveTopicBack: () => Promise<void>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "drawdown-package-"));
  const packed = [".", "./packages/client", "./packages/api-client"];
  await run("npm", ["pack", ...packed, "--pack-destination", folder], { cwd: REPOSITORY });
  await writeFile(join(folder, "package.json"), "{}");
  await npmInstall("drawdown-client");
  command = await installCommand();
  giveTopicBack = await takeUsageTopic(kafka);
  topic = await followUsage(kafka);
  books = await openBooks();
}, 300_000);

afterAll(async () => {
  await topic?.stop();
  await giveTopicBack?.();
  await books?.close();
  await rm(folder, { recursive: true, force: true });
});

test("the client brings KafkaJS and avsc, and nothing else", async () => {
  const modules = await readdir(join(folder, "node_modules"));
  expect(modules.filter((name) => !name.startsWith(".")).sort()).toEqual([
    "@drawdown",
    "avsc",
    "kafkajs",
  ]);
  expect(await readdir(join(folder, "node_modules/@drawdown"))).toEqual(["client"]);
});

/** At least the Node that runs this, and those of the machine: its clients run on 20 and newer. */
test.each(everyNode())("a service on Node $version publishes and exits by itself", async (node) => {
  const accountId = `${account}-${node.version}`;
  const script = `
    import { openUsageClient } from "@drawdown/client";
    const usage = openUsageClient({
      kafka: { brokers: process.env.KAFKA_BROKERS.split(",") },
      registry: { url: process.env.SCHEMA_REGISTRY_URL },
      source: "packed",
    });
    const { eventId } = await usage.publish({ accountId: "${accountId}", meter: "call", quantity: 7 });
    await usage.close();
    console.log(eventId);`;
  const { stdout, stderr } = await start(node.path, await written("publish.mjs", script));
  expect(stderr).toBe("");
  await eventually("the event is in Kafka", () => topic.of(accountId).length === 1);
  expect(topic.of(accountId)[0]?.record).toMatchObject({
    event_id: stdout.trim(),
    quantity: 7n,
    source: "packed",
  });
});

test.each(everyNode())("the documented local allowance runs on Node $version", async (node) => {
  const accountId = `${account}-poor-${node.version}`;
  const page = await readFile(join(REPOSITORY, "docs/local-allowance.md"), "utf8");
  const [block] = fencedBlocks(page);
  const script = (block?.text ?? "")
    .replace('["127.0.0.1:9092"]', 'process.env.KAFKA_BROKERS.split(",")')
    .replace('"http://127.0.0.1:8081/apis/ccompat/v7"', "process.env.SCHEMA_REGISTRY_URL")
    .replace('"acme"', `"${accountId}"`);
  await openAccount(books, accountId, { lots: [{ credits: 249_999n }] });
  const metering = startMetering({ ...process.env, DATABASE_URL: books.url });
  try {
    await metering.says(/^metering$/);
    await eventually("its balance is published", async () => {
      const { rowCount } = await books.database.query("SELECT FROM balance_change");
      return rowCount === 0;
    });
    const { stdout, stderr } = await start(node.path, await written("allowance.mjs", script));
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^not_enough 249999n \d+\n$/);
  } finally {
    await metering.stop();
  }
});

test("its imports do not affect the service's own KafkaJS and avsc", async () => {
  const script = `
    import { createRequire } from "node:module";
    const require = createRequire(import.meta.url);
    const avro = require("avsc");
    const classes = {
      ...avro.types,
      Type: avro.Type,
      Kafka: require("kafkajs").Kafka,
      RequestQueue: require("kafkajs/src/network/requestQueue"),
      Connection: require("kafkajs/src/network/connection"),
    };
    const look = () => Object.entries(classes).map(([name, one]) =>
      [name, [one, one.prototype].map((of) => Object.getOwnPropertyDescriptors(of))]);
    const before = look();
    const { openUsageClient } = await import("@drawdown/client");
    const usage = openUsageClient({
      kafka: { brokers: process.env.KAFKA_BROKERS.split(",") },
      registry: { url: process.env.SCHEMA_REGISTRY_URL },
    });
    await usage.publish({ accountId: "${account}-2", meter: "call", quantity: 1 });
    await usage.close();
    const after = new Map(look());
    const differs = (a, b) => Reflect.ownKeys({ ...a, ...b }).filter((key) =>
      a[key]?.value !== b[key]?.value || a[key]?.get !== b[key]?.get);
    console.log(JSON.stringify(before.map(([name, [own, proto]]) =>
      [name, ...differs(own, after.get(name)[0]), ...differs(proto, after.get(name)[1])])
      .filter((changed) => changed.length > 1)), before.length);`;
  const { stdout, stderr } = await node(await written("untouched.mjs", script));
  expect(stderr).toBe("");
  expect(stdout).toMatch(/^\[\] \d{2}\n$/);
});

test("a TypeScript service type-checks against the types of both clients", async () => {
  await npmInstall("drawdown-api-client");
  await link("@types/node");
  const service = (quantity: string) => `
    import { InvalidUsage, openUsageClient, PublishFailed, type Usage } from "@drawdown/client";
    import { openApiClient } from "@drawdown/api-client";
    const api = openApiClient({ url: "", key: "" });
    const { items } = await api.lots("acme", { live: true });
    const left: readonly (readonly [string, bigint, Date | null])[] = items.map(
      ({ lotId, remaining, expiresAt }) => [lotId, remaining, expiresAt],
    );
    const client = openUsageClient({ kafka: { brokers: [] }, registry: { url: "" } });
    const usage: Usage = { accountId: "acme", meter: "call", quantity: ${quantity} };
    try {
      const published: { eventId: string; quantity: bigint } = await client.publish(usage);
    } catch (error) {
      if (error instanceof PublishFailed) await client.publish(error.event);
      if (error instanceof InvalidUsage) error.message.trim();
    }`;
  expect(await typeErrors(await written("good.mts", service("1")))).toBe("");
  expect(await typeErrors(await written("bad.mts", service('"1"')))).toMatch(
    /'string' is not assignable to type 'number \| bigint'/,
  );
});

test("the command's package has the compiled code, the README and the LICENSE, and nothing else", async () => {
  const { stdout } = await run("tar", ["-tzf", await tarball("drawdown")]);
  const files = stdout.trim().split("\n");
  expect(files.filter((file) => !file.startsWith("package/dist/")).sort()).toEqual([
    "package/LICENSE",
    "package/README.md",
    "package/package.json",
    "package/services/cli/drawdown.mjs",
  ]);
  expect(files).toContain("package/dist/schemas/usage-event.avsc");
  expect(files.filter((file) => /\/test\/|(?<!\.d)\.ts$/.test(file))).toEqual([]);
});

test("the command runs", async () => {
  const help = await node(command, "--help");
  expect(help.stdout).toContain("Usage: drawdown");
  await node(command, "rate", "set", "call", "3", "--per", "1");
  const { stdout, stderr } = await node(command, "rate", "list", "--json");
  expect(stderr).toBe("");
  expect(JSON.stringify(JSON.parse(stdout))).toContain('"call"');
});

test("the command names the Node version it needs when run with an older one", async () => {
  const old = await written(
    "old-node.mjs",
    `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.19.4" } });
     await import("./command/services/cli/drawdown.mjs");`,
  );
  await expect(node(old)).rejects.toMatchObject({
    code: 2,
    stdout: "",
    stderr: "drawdown needs Node 24 or newer; this is Node 20.19.4.\n",
  });
});

async function tarball(name: string): Promise<string> {
  const found = (await readdir(folder)).find(
    (file) => file.match(/^(.+)-[\d.]+\.tgz$/)?.[1] === name,
  );
  return join(folder, found ?? `there is no ${name}`);
}

async function npmInstall(name: string): Promise<void> {
  const options = ["--prefer-offline", "--no-audit", "--no-fund"];
  await run("npm", ["install", ...options, await tarball(name)], { cwd: folder });
}

/** As `npm install` would, but with the dependencies already installed here. */
async function installCommand(): Promise<string> {
  const target = join(folder, "command");
  await mkdir(target, { recursive: true });
  await run("tar", ["-xzf", await tarball("drawdown"), "-C", target, "--strip-components", "1"]);
  await symlink(MODULES, join(target, "node_modules"));
  return join(target, "services/cli/drawdown.mjs");
}

async function link(dependency: string): Promise<void> {
  const target = join(folder, "node_modules", dependency);
  await mkdir(dirname(target), { recursive: true });
  await symlink(join(MODULES, dependency), target);
}

function everyNode(): { version: string; path: string }[] {
  const inPath = (process.env["PATH"] ?? "").split(delimiter).map((dir) => join(dir, "node"));
  const found = [process.execPath, ...inPath.filter((path) => existsSync(path))].map((path) => ({
    path,
    version: execFileSync(path, ["-p", "process.versions.node"], { encoding: "utf8" }).trim(),
  }));
  return found.filter(
    ({ version }, at) =>
      Number.parseInt(version, 10) >= 20 &&
      found.findIndex((other) => other.version === version) === at,
  );
}

async function written(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

function node(...args: string[]) {
  return start(process.execPath, ...args);
}

function start(program: string, ...args: string[]) {
  const env = { ...process.env, DATABASE_URL: books.url };
  return run(program, args, { cwd: folder, env, timeout: 20_000 });
}

/** The output of tsc for a file of a service with strict settings. */
async function typeErrors(file: string): Promise<string> {
  const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "esnext"];
  const args = [...options, "--skipLibCheck", "--types", "node", file];
  return run(join(MODULES, ".bin/tsc"), args, { cwd: folder }).then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  );
}
